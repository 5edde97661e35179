"""``python -m ispbilling.supervisor demo …`` and ``… run-with-servers -- COMMAND``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ispbilling.supervisor.demo import DAYS, DAYS_SMALL, Options, check, demo, reset
from ispbilling.supervisor.keys import SecretsMissing
from ispbilling.supervisor.paths import default_data
from ispbilling.supervisor.run import run_with_servers


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/demo")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("demo", help="run a whole installation on this machine")
    show.add_argument("--port", type=int, default=8000)
    show.add_argument("--data", type=Path, default=default_data())
    show.add_argument("--empty", action="store_true", help="without demo data")
    show.add_argument("--small", action="store_true", help="one provider, one router, twelve customers, ten days")
    show.add_argument("--days", type=int, help=f"so many days of history ({DAYS}; {DAYS_SMALL} with --small)")
    show.add_argument("--seed", type=int, default=1, help="the same seed gives the same history")
    show.add_argument("--reset", action="store_true", help="throw the demo's data away, then stop")
    show.add_argument("--check", action="store_true", help="walk the main job once, in private, and stop")
    run = commands.add_parser("run-with-servers", help="run a command with private servers")
    run.add_argument("rest", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    if given.command == "run-with-servers":
        return run_with_servers([part for part in given.rest if part != "--"])
    days = given.days if given.days is not None else DAYS_SMALL if given.small else DAYS
    options = Options(
        port=given.port,
        data=given.data.resolve(),
        is_empty=given.empty,
        is_small=given.small,
        days=max(1, min(days, 366)),
        seed=given.seed,
    )
    if given.reset:
        return reset(options)
    return check() if given.check else demo(options)


if __name__ == "__main__":
    # What we say stands before what children say, into a file too.
    sys.stdout = os.fdopen(sys.stdout.fileno(), "w", buffering=1, closefd=False)
    try:
        sys.exit(main(sys.argv[1:]))
    except SecretsMissing as error:
        print(error, file=sys.stderr)
        sys.exit(2)
