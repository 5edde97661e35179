"""``bin/bench [NAME] [--json] [--scale N]``: lists the measurements, or runs one.

Exit status 1 when a ratio is over its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: ``ratio`` = ``value`` / ``floor``, allowed up to ``limit``."""

    name: str
    value: float
    floor: float
    limit: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.value / self.floor


def main(arguments: list[str]) -> int:
    from tests.bench import callback, converge, customers

    benches: dict[str, tuple[str, Callable[[], Iterator[Figure]]]] = {
        "callback": ("settling a payment, with 20 duplicates each and with none", callback.run),
        "converge": ("suspending 1,000 online subscribers of a router; 45 routers of which ten hang", converge.run),
        "customers": (
            "the list and the search of a tenant's 100,000 customers among 1,000,000",
            lambda: customers.run(given.scale),
        ),
    }
    parser = argparse.ArgumentParser(prog="bin/bench")
    parser.add_argument("name", nargs="?", choices=sorted(benches))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--scale", type=float, default=1.0, help="customers: so many times as many rows")
    given = parser.parse_args(arguments)
    if given.name is None:
        for name, (sentence, _) in sorted(benches.items()):
            print(f"{name:12} {sentence}")
        return 0
    figures = []
    for figure in benches[given.name][1]():
        figures.append(figure)
        if not given.json:
            print(
                f"{given.name}.{figure.name} value={figure.value:.2f}{figure.unit}"
                f" floor={figure.floor:.2f}{figure.unit} ratio={figure.ratio:.3g} limit={figure.limit:.3g}",
                flush=True,
            )
    if given.json:
        print(json.dumps([{**asdict(figure), "ratio": round(figure.ratio, 4)} for figure in figures]))
    return int(any(figure.ratio > figure.limit for figure in figures))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "ispbilling.settings.test"
    sys.exit(main(sys.argv[1:]))
