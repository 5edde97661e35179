"""Faults a simulator can be told to have: a table of kinds, and what is armed of them and how often it came true.

A kind is data (``Fault``): a sentence and its options, each with a default, a check and a way to draw it at random. So
seeded mixtures are made from the table, and nonsense is refused before it is armed. ``Faults`` holds what is armed;
the simulator asks it at the place where the fault would happen.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from simulators.control import Handler


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a fault. ``check`` returns the clean value or raises ValueError; ``draw`` picks one."""

    default: Any
    check: Callable[[Any], Any]
    draw: Callable[[Random], Any]


def number(default: float, lowest: float, highest: float, *, drawn: tuple[float, float] | None = None) -> Option:
    """A figure, whole when ``default`` is; ``drawn``: the range mixtures use, short waits instead of true ones."""
    kind = type(default)
    low, high = drawn or (lowest, highest)

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ValueError(f"{value!r} is not a number within {lowest} and {highest}")
        if kind(value) != value:
            raise ValueError(f"{value!r} is not a whole number")
        return kind(value)

    if kind is int:
        return Option(default, check, lambda random: random.randint(int(low), int(high)))
    return Option(default, check, lambda random: round(random.uniform(low, high), 3))


def choice(*words: Any) -> Option:
    """One of ``words``; the first is the default."""

    def check(value: Any) -> Any:
        if value not in words or isinstance(value, bool) != isinstance(words[0], bool):
            raise ValueError(f"{value!r} is none of {', '.join(map(str, words))}")
        return words[words.index(value)]

    return Option(words[0], check, lambda random: random.choice(words))


def flag(default: bool = False) -> Option:
    return choice(default, not default)


def text(default: str = "") -> Option:
    """Any text. Mixtures keep the default."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not text")
        return value

    return Option(default, check, lambda _random: default)


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, in a sentence, with its options by name."""

    help: str
    options: Mapping[str, Option] = field(default_factory=dict)

    def clean(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All options, defaults filled in. Raises ValueError for an unknown one or a value that cannot be."""
        unknown = sorted(set(given) - set(self.options))
        if unknown:
            known = ", ".join(sorted(self.options)) or "none"
            raise ValueError(f"unknown option {', '.join(unknown)} (known: {known})")
        cleaned = {}
        for name, option in self.options.items():
            try:
                cleaned[name] = option.check(given[name]) if name in given else option.default
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cleaned

    def draw(self, random: Random) -> dict[str, Any]:
        """Options at random; the same state of ``random`` gives the same ones."""
        return {name: option.draw(random) for name, option in sorted(self.options.items())}


def mixture(table: Mapping[str, Fault], random: Random, size: int) -> list[dict[str, Any]]:
    """``size`` different faults with drawn options, chance and number; each is given to ``arm(**one)`` as it is."""
    return [
        {
            "name": name,
            "times": random.randint(1, 4),
            "chance": round(random.uniform(0.2, 1.0), 2),
            **table[name].draw(random),
        }
        for name in random.sample(sorted(table), size)
    ]


def wire_faults(*calls: str) -> dict[str, Fault]:
    """What can go wrong with any HTTP call; ``on`` says with which of ``calls``.

    "Before" means nothing was accepted, "after" that it was: the one who asked cannot tell them apart.
    """
    on = choice("any", *calls)
    hang = {"on": on, "seconds": number(60.0, 0, 600, drawn=(0.1, 2.0))}
    return {
        "latency": Fault("The answer takes long.", {"on": on, "seconds": number(1.0, 0, 600, drawn=(0.05, 1.5))}),
        "cut_before": Fault("The connection is cut, nothing accepted.", {"on": on}),
        "cut_after": Fault("Accepted, and the connection cut before the answer.", {"on": on}),
        "cut_midway": Fault("Accepted, and the connection cut in the middle of the answer.", {"on": on}),
        "timeout_before": Fault("Nothing accepted, silence, then the connection is closed.", hang),
        "timeout_after": Fault("Accepted, silence, then the connection is closed.", hang),
        "http_refused": Fault(
            "Turned away by status, with a page of a proxy.", {"on": on, "status": choice(401, 403, 429)}
        ),
        "http_error": Fault(
            "A server error, with a page of a proxy. ``is_accepted``: and yet it was done.",
            {"on": on, "status": choice(500, 502, 503, 504), "is_accepted": flag()},
        ),
        "html": Fault("Status 200 and a page of HTML.", {"on": on, "is_accepted": flag(True)}),
        "truncated": Fault("Accepted; the answer is the first half of its JSON.", {"on": on}),
        "empty": Fault("Accepted; the answer is empty.", {"on": on}),
    }


@dataclass
class Armed:
    """A fault that waits. ``phone``: only there, None everywhere; ``times`` so often and no more, None always."""

    name: str
    options: dict[str, Any]
    phone: str | None
    times: int | None
    chance: float
    fired: int = 0


class Faults:
    """The faults armed on one simulator. ``fired`` counts by name since the start, and is not cleared with them."""

    def __init__(self, table: Mapping[str, Fault], seed: int = 0) -> None:
        self.table = table
        self.random = Random(seed)  # decides chances
        self.fired: Counter[str] = Counter()
        self._armed: list[Armed] = []
        self._lock = threading.Lock()
        self._here = threading.local()

    def arm(
        self, name: str, *, phone: str | None = None, times: int | None = None, chance: float = 1.0, **options: Any
    ) -> None:
        """Let ``name`` happen from now on, beside what is armed already. ``phone`` as the wire writes it.

        Raises ValueError for a name, option or value that does not exist.
        """
        if name not in self.table:
            raise ValueError(f"no fault {name} (known: {', '.join(sorted(self.table))})")
        if phone is not None and not isinstance(phone, str):
            raise ValueError("phone: not text")
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise ValueError("times: not a whole number from 1")
        if not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise ValueError("chance: not within 0 and 1")
        armed = Armed(name, self.table[name].clean(options), phone, times, float(chance))
        with self._lock:
            self._armed.append(armed)

    def clear(self, name: str | None = None) -> None:
        """Disarm one kind, or all. Raises ValueError for a name that does not exist."""
        if name is not None and name not in self.table:
            raise ValueError(f"no fault {name}")
        with self._lock:
            self._armed = [one for one in self._armed if name is not None and one.name != name]

    def is_armed(self, name: str) -> bool:
        """Whether it may come true at all: spares the work of preparing for it."""
        with self._lock:
            return any(one.name == name for one in self._armed)

    def all(self, name: str, *, phones: Collection[str] = (), on: str = "") -> list[dict[str, Any]]:
        """The options of every armed fault of this name that comes true here and now; each counts once."""
        found = []
        with self._lock:
            for one in self._armed:
                if one.name != name or (one.phone is not None and one.phone not in phones):
                    continue
                if on and one.options.get("on", "any") not in ("any", on):
                    continue
                if (one.times is not None and one.fired >= one.times) or self.random.random() >= one.chance:
                    continue
                one.fired += 1
                self.fired[name] += 1
                found.append(dict(one.options))
        seen: list[str] | None = getattr(self._here, "seen", None)
        if seen is not None:
            seen += [name] * len(found)
        return found

    def one(self, name: str, *, phones: Collection[str] = (), on: str = "") -> dict[str, Any] | None:
        """The options of the fault if it comes true; of several armed alike the last one's."""
        found = self.all(name, phones=phones, on=on)
        return found[-1] if found else None

    def happens(self, name: str, *, phones: Collection[str] = (), on: str = "") -> bool:
        """Whether the fault comes true, for those whose options do not matter."""
        return bool(self.all(name, phones=phones, on=on))

    @contextmanager
    def noting(self, seen: list[str]) -> Iterator[None]:
        """What comes true in this thread meanwhile is added to ``seen``."""
        self._here.seen = seen
        try:
            yield
        finally:
            self._here.seen = None

    def state(self) -> dict[str, Any]:
        """What is armed and what came true, as JSON."""
        with self._lock:
            return {"armed": [asdict(one) for one in self._armed], "fired": dict(self.fired)}


def control_handlers(faults: Faults) -> Mapping[str, Handler]:
    """What the control port may do with a simulator's faults: ``fault_arm``, ``fault_clear``, ``faults``."""

    def arm(body: dict[str, Any]) -> dict[str, Any]:
        """``{"name": …, "phone"?: …, "times"?: …, "chance"?: …, option: value …}``."""
        given = dict(body)
        given["name"] = str(given["name"])
        faults.arm(**given)
        return {}

    def clear(body: dict[str, Any]) -> dict[str, Any]:
        faults.clear(body.get("name"))
        return {}

    def state(_body: dict[str, Any]) -> dict[str, Any]:
        kinds = {
            name: {"help": fault.help, "options": {key: option.default for key, option in fault.options.items()}}
            for name, fault in faults.table.items()
        }
        return {**faults.state(), "kinds": kinds}

    return {"fault_arm": arm, "fault_clear": clear, "faults": state}
