"""What can go wrong with a router: the table of kinds, and one fault of a kind as a test arms it.

A fault happens at a place (``at``): a command by its name (``/ppp/secret/set``, or a pattern: ``/ppp/*``, ``*``),
``/login``, ``connect``, or ``now``, at once. ``when`` says at which moment of the command:

- ``before``: it was received, nothing was applied;
- ``applying``: after ``items`` rows of its list were written (None: half of them); a shorter list passes by;
- ``applied``: all was written, nothing was said;
- ``answer``: after ``rows`` of its ``!re`` sentences were sent (None: half of them), at the latest before ``!done``.

It lets ``skip`` opportunities pass and then fires ``times`` times (None: always). What a real router does in these
cases is not documented to the word: texts are examples, categories are MikroTik's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from . import draws, schema

NOW, CONNECT, LOGIN, COMMAND, SENTENCE = "now", "connect", "/login", "command", "sentence"
BEFORE, APPLYING, APPLIED, ANSWER, CHECKED = "before", "applying", "applied", "answer", "checked"
BAD_LOGIN = "invalid user name or password (6)"


@dataclass(frozen=True)
class Option:
    """``says`` names what ``allows`` lets through."""

    default: Any
    says: str
    allows: Callable[[Any], bool]


def whole(default: int | None, least: int = 0, *, or_none: bool = False) -> Option:
    def allows(value: Any) -> bool:
        return (value is None and or_none) or (type(value) is int and value >= least)

    return Option(default, f"a whole number from {least}{', or null' if or_none else ''}", allows)


def number(default: float | None, *, or_none: bool = False) -> Option:
    def allows(value: Any) -> bool:
        return (value is None and or_none) or (type(value) in (int, float) and value >= 0)

    return Option(default, f"a number from 0{', or null' if or_none else ''}", allows)


def flag() -> Option:
    return Option(False, "true or false", lambda value: isinstance(value, bool))


def text(default: str | None) -> Option:
    return Option(default, "a text", lambda value: isinstance(value, str) or (value is None and default is None))


def choice(*words: str) -> Option:
    return Option(words[0], " or ".join(words), lambda value: value in words)


def _is_sentence(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(word, str) for word in value)


ITEMS, ROWS = whole(None, 1, or_none=True), whole(0, or_none=True)
REPEAT = {"times": whole(1, 1, or_none=True), "skip": whole(0)}
MOMENTS = {"items": ITEMS, "rows": ROWS, "lists_only": flag(), **REPEAT}
CUT = {"mid_sentence": flag(), "reset": flag()}
GARBAGE = ("bytes", "length", "unknown_tag", "unknown_reply", "duplicate", "no_tag")


@dataclass(frozen=True)
class Kind:
    """``places`` are what ``at`` may be, the only one being its default; ``phases`` what ``when`` may be, the first
    being its default; ``draw`` gives random options for ``fault_add``."""

    says: str
    places: tuple[str, ...]
    phases: tuple[str, ...]
    options: Mapping[str, Option]
    draw: Callable[[Random], dict[str, Any]]


PHASES = (BEFORE, APPLYING, APPLIED, ANSWER)
KINDS: dict[str, Kind] = {
    "cut": Kind(
        "The connection ends (now: every connection); ``mid_sentence``: the next sentence of the answer goes out by "
        "half, ``reset``: with a TCP reset.",
        (COMMAND, LOGIN, CONNECT, NOW), PHASES, {**MOMENTS, **CUT}, draws.cut,
    ),
    "cut_after": Kind(
        "The connection ends after so many ``sentences`` were sent since the fault was armed or last fired, on this "
        "connection or by the router (``scope``).",
        (SENTENCE,), (), {"sentences": whole(1, 1), "scope": choice("connection", "router"), **CUT, **REPEAT},
        draws.cut_after,
    ),
    "trap": Kind(
        "The command is refused with this ``category`` and ``text``, whatever of it was applied.",
        (COMMAND, LOGIN), PHASES, {"category": whole(4), "text": text("failure: simulated"), **MOMENTS}, draws.trap,
    ),
    "fatal": Kind(
        "The router says ``!fatal`` and closes the connection.",
        (COMMAND, LOGIN), PHASES, {"text": text("session terminated"), **MOMENTS}, draws.fatal,
    ),
    "login_refused": Kind(
        "A log-in is refused although the password is right.",
        (LOGIN,), (CHECKED,), {"category": whole(4), "text": text(BAD_LOGIN), **REPEAT}, draws.login_refused,
    ),
    "session_limit": Kind(
        "Log-ins beyond ``limit`` open ones (of all, or of one ``user``) are refused by ``answer``.",
        (LOGIN,), (CHECKED,),
        {
            "limit": whole(1), "user": text(None), "answer": choice("trap", "fatal", "close"),
            "text": text("maximum number of sessions reached"), **REPEAT, "times": whole(None, 1, or_none=True),
        },
        draws.session_limit,
    ),
    "hang": Kind(
        "Nothing comes for ``for_s`` seconds (None: until released); at connect nothing is read either. A command "
        "whose client gives up meanwhile is dropped, unless it ``outlives`` the connection and is carried out late.",
        (COMMAND, LOGIN, CONNECT), PHASES, {"for_s": number(None, or_none=True), "outlives": flag(), **MOMENTS},
        draws.hang,
    ),
    "slow": Kind(
        "The answer (at connect: everything) trickles at ``bytes_per_s``.",
        (COMMAND, LOGIN, CONNECT), (ANSWER,), {"bytes_per_s": whole(100, 1), "rows": ROWS, **REPEAT}, draws.slow,
    ),
    "garbage": Kind(
        "The answer is spoilt: bytes that are no sentence, an absurd length, an answer with a tag nobody gave, an "
        "unknown reply word, every sentence twice, or sentences without their tag.",
        (COMMAND, LOGIN), (ANSWER,), {"what": choice(*GARBAGE), "rows": ROWS, **REPEAT}, draws.garbage,
    ),
    "reboot": Kind(
        "The router restarts: connections, sessions, dynamic rows and uptime are lost, and the last ``lose_writes`` "
        "write commands; for ``away_s`` seconds it refuses connections.",
        (COMMAND, LOGIN, NOW), PHASES, {"away_s": number(0.0), "lose_writes": whole(0), **MOMENTS}, draws.reboot,
    ),
    "port_closed": Kind(
        "Connections are refused for ``for_s`` seconds (None: until released); those that stand go on.",
        (COMMAND, LOGIN, NOW), PHASES, {"for_s": number(None, or_none=True), **MOMENTS}, draws.port_closed,
    ),
    "by_hand": Kind(
        "Somebody at the router gives the command ``sentence`` at this moment; ``{any}`` in it is a random row of its "
        "menu. What the router refuses him is of no account.",
        (COMMAND, LOGIN, NOW), PHASES, {"sentence": Option(None, "a list of words", _is_sentence), **MOMENTS},
        draws.by_hand,
    ),
}  # fmt: skip


@dataclass(eq=False)
class Fault:
    """One armed fault. ``fired`` says how often it has happened."""

    number: int
    kind: str
    at: str
    when: str
    options: dict[str, Any]
    fired: int = 0
    skipped: int = 0
    is_armed: bool = True
    released: asyncio.Event = field(default_factory=asyncio.Event)
    counts: dict[int, int] = field(default_factory=dict)  # sentences by connection, 0 for the router

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    @property
    def is_spent(self) -> bool:
        times = self.options["times"]
        return not self.is_armed or (times is not None and self.fired >= times)

    def take(self) -> bool:
        """An opportunity: whether the fault happens now. The caller makes it happen."""
        if self.is_spent:
            return False
        if self.skipped < self.options["skip"]:
            self.skipped += 1
            return False
        self.fired += 1
        return True

    def concerns(self, command: str) -> bool:
        return self.at == command or (command != LOGIN and fnmatchcase(command, self.at))

    def is_reached(self, when: str, done: int, of: int) -> bool:
        """Whether this is the moment, ``done`` rows of ``of`` being written or sent."""
        if self.when != when:
            return False
        if when == APPLYING:
            wanted = self.options["items"]
            return done == (wanted if wanted is not None else of // 2)
        if when == ANSWER:
            wanted = self.options["rows"]
            return done == (min(wanted, of) if wanted is not None else of // 2)
        return True

    async def hold(self) -> None:
        """Wait until ``for_s`` is over or the fault is released."""
        try:
            await asyncio.wait_for(self.released.wait(), self.options["for_s"])
        except TimeoutError:
            return

    def disarm(self) -> None:
        self.is_armed = False
        self.released.set()

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number, "kind": self.kind, "at": self.at, "when": self.when, "fired": self.fired,
            "is_spent": self.is_spent, **self.options,
        }  # fmt: skip


class Faults:
    """The faults of one router, in the order they were armed: at the same moment the earlier one comes first."""

    def __init__(self) -> None:
        self.listed: list[Fault] = []
        self._count = 0

    def add(self, kind: str, given: Mapping[str, Any]) -> Fault:
        """Arm a fault. Raises ValueError for a kind, place, moment or option that does not exist."""
        self._count += 1
        fault = Fault(self._count, kind, *read(kind, given))
        self.listed.append(fault)
        return fault

    def at(self, place: str, *, is_list: bool = False) -> list[Fault]:
        """Those that may still happen at a command, at ``/login`` or at ``connect``."""
        if not self.listed:
            return []
        return [
            fault
            for fault in self.listed
            if not fault.is_spent and fault.concerns(place) and (is_list or not fault.options.get("lists_only"))
        ]

    def counting(self) -> list[Fault]:
        """Those that wait for a number of sentences."""
        return [fault for fault in self.listed if fault.at == SENTENCE and not fault.is_spent] if self.listed else []

    def remove(self, number: int) -> None:
        """Disarm one and release who hangs in it. Raises KeyError."""
        found = self.find(number)
        found.disarm()
        self.listed.remove(found)

    def clear(self) -> None:
        for fault in self.listed:
            fault.disarm()
        self.listed.clear()

    def release(self, number: int | None = None) -> None:
        """Let go on who hangs now, in one fault or in all; the next one hangs again."""
        for fault in self.listed if number is None else [self.find(number)]:
            fault.released.set()
            fault.released = asyncio.Event()

    def find(self, number: int) -> Fault:
        """Raises KeyError naming what exists."""
        for fault in self.listed:
            if fault.number == number:
                return fault
        known = ", ".join(str(fault.number) for fault in self.listed) or "none"
        raise KeyError(f"no fault {number}; there are {known}")


def read(kind: str, given: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """(at, when, all options) of a fault. Raises ValueError naming what exists."""
    if kind not in KINDS:
        raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
    form = KINDS[kind]
    known = form.options
    for name in given:
        if name not in known and name not in ("at", "when"):
            raise ValueError(f"{kind} has no {name!r}; there are at, when, {', '.join(known)}")
    at = given.get("at", form.places[0] if len(form.places) == 1 else None)
    _check_place(kind, form, at)
    phases = _phases(form, at)
    when = given.get("when", phases[0] if phases else "")
    if when not in phases and (when or phases):
        raise ValueError(f"{kind} at {at} has no moment {when!r}; there are {', '.join(phases) or 'none'}")
    for name, moment in (("items", APPLYING), ("rows", ANSWER), ("mid_sentence", ANSWER)):
        if given.get(name) and when != moment and kind != "cut_after":
            raise ValueError(f"{name} goes with when={moment}")
    options = {name: given.get(name, option.default) for name, option in known.items()}
    for name, value in options.items():
        if not known[name].allows(value):
            raise ValueError(f"{name} of {kind} is {known[name].says}, not {value!r}")
    return at, when, options


def mixture(random: Random, count: int, kinds: list[str] | None = None) -> list[dict[str, Any]]:
    """So many random faults, each as the keywords of ``fault_add``; of these kinds, or of all."""
    drawn = (random.choice(kinds or list(KINDS)) for _ in range(count))
    return [{"kind": kind, **KINDS[kind].draw(random)} for kind in drawn]


def _check_place(kind: str, form: Kind, at: Any) -> None:
    if at in form.places and at != COMMAND:
        return
    if COMMAND in form.places and isinstance(at, str):
        names = (f"{path}/{verb}" for path, menu in schema.MENUS.items() for verb in menu.verbs)
        if any(fnmatchcase(name, at) for name in names):
            return
    raise ValueError(f"{kind} does not happen at {at!r}, but at: {', '.join(form.places)} (a command by its name)")


def _phases(form: Kind, at: str) -> tuple[str, ...]:
    if at in (NOW, CONNECT, SENTENCE):
        return ()
    return tuple(phase for phase in form.phases if not (at == LOGIN and phase == APPLYING))
