"""What a command sentence says, and carrying it out on a device.

Carrying out is a generator: it yields Began before it touches anything, then after every row it has read or
written, and the Answer last, so that whoever drives it can take time, cut the line or stop in the middle of a
list. Raises Trap. What is thrown into it is noted in the journal: Trap as the router's refusal, Stopped as its text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from . import schema, traps, values
from .device import BUILT_IN_PROFILES, Device
from .journals import BY_HAND, JournalEntry, Origin
from .query import Query
from .tables import Row, Table

WRITES = frozenset({"add", "set", "remove", "enable", "disable", "unset", "comment", "move"})
PRINT_ARGUMENTS = frozenset(
    {"detail", "stats", "count-only", "without-paging", "terse", "brief", "show-sensitive", "from", ".proplist"}
)
MONITOR_INTERVAL_S = 1.0
PACKET_BITS = 8_000  # packets of 1,000 bytes: a plausible mix


@dataclass(frozen=True)
class Command:
    """One sentence taken apart. ``words`` are all but the command itself and the tag."""

    path: str
    verb: str
    attributes: dict[str, str]
    queries: list[str]
    words: list[str]
    tag: str | None = None

    @property
    def name(self) -> str:
        return f"{self.path}/{self.verb}"

    @property
    def references(self) -> str | None:
        """The rows a write names, as a comma list of ids and names."""
        return self.attributes.get(".id", self.attributes.get("numbers"))

    @classmethod
    def parse(cls, sentence: Sequence[str]) -> Command:
        path, _, verb = sentence[0].rpartition("/")
        command = cls(path, verb, {}, [], [])
        tag: str | None = None
        for word in sentence[1:]:
            if word.startswith(".tag="):
                tag = word.removeprefix(".tag=")
                continue
            command.words.append(word)
            if word.startswith("="):
                name, _, value = word[1:].partition("=")
                command.attributes[name] = value
            elif word.startswith("?"):
                command.queries.append(word)
        return cls(path, verb, command.attributes, command.queries, command.words, tag)


@dataclass(frozen=True)
class Answer:
    """``rows`` become ``!re`` sentences; ``ret`` stands in the ``!done``; ``is_print`` answers are announced as
    ``!empty`` by newer versions when there is no row."""

    rows: list[dict[str, str]] = field(default_factory=list)
    ret: str | None = None
    is_print: bool = False


class Stopped(Exception):
    """The command goes no further: not by the router's own will, and without a word from it."""


@dataclass(frozen=True)
class Began:
    """The command is understood, and nothing was done yet. ``entry``: its place in the journal, None for a read."""

    entry: JournalEntry | None


@dataclass(frozen=True)
class Worked:
    """So many rows were read or written since the step before."""

    items: int


@dataclass(frozen=True)
class Emit:
    """Rows to send at once, and how many seconds the command rests after them."""

    rows: list[dict[str, str]]
    pause_s: float


Step = Began | Worked | Emit | Answer
Steps = Generator[Worked | Emit, None, Answer]
_DONE = Answer()


def carry_out(device: Device, command: Command, origin: Origin) -> Generator[Step, None, None]:
    """Run one command; writes go to the journal with ``origin`` as where they came from."""
    table = device.tables.get(command.path)
    if table is None or command.verb not in table.menu.verbs:
        raise traps.no_such_command()
    device.expire()
    steps = _VERBS[command.verb](device, table, command)
    if command.verb not in WRITES:
        yield Began(None)
        yield (yield from steps)
        return
    entry = device.journal.begin(command.name, command.words, origin, _rows_named(command, table))
    try:
        yield Began(entry)
        answer = yield from _written(device, steps, entry)
        entry.is_applied, entry.ended_s = True, time.monotonic()
        yield answer
    except traps.Trap as trap:
        entry.trap = trap.message
        raise
    except Stopped as stopped:
        entry.stopped = str(stopped)
        raise
    except BaseException:
        if not entry.is_applied:
            entry.stopped = "cancelled"
        raise
    finally:
        if entry.ended_s is None:
            entry.ended_s = time.monotonic()


def carry_out_at_once(device: Device, command: Command) -> Answer:
    """Run one command by hand, without the time a router takes."""
    answer = _DONE
    for step in carry_out(device, command, BY_HAND):
        if isinstance(step, Answer):
            answer = step
    return answer


def _written(device: Device, steps: Steps, entry: JournalEntry) -> Steps:
    """Drive a write: its changes are counted, and stay unflushed under its name."""
    while True:
        device.flash.writing = entry
        try:
            step = next(steps)
        except StopIteration as stop:
            answer: Answer = stop.value
            return answer
        finally:
            device.flash.writing = None
        if isinstance(step, Worked):
            entry.items += step.items
        yield step


def _rows_named(command: Command, table: Table) -> int:
    if command.verb == "add" or table.menu.is_single:
        return 1
    listed = command.references
    return listed.count(",") + 1 if listed else 0


def _print(device: Device, table: Table, command: Command) -> Steps:
    for name in command.attributes:
        if name not in PRINT_ARGUMENTS:
            raise traps.unknown_parameter(name)
    proplist = command.attributes.get(".proplist")
    ids = command.attributes.get("from")
    rows = table.select(
        Query(command.queries),
        [name.strip() for name in proplist.split(",")] if proplist else None,
        ids.split(",") if ids is not None else None,
    )
    yield Worked(len(rows))
    if "count-only" in command.attributes:
        return Answer(ret=str(len(rows)))
    return Answer(rows, is_print=True)


def _add(device: Device, table: Table, command: Command) -> Steps:
    given = dict(command.attributes)
    before: Row | None = None
    if "move" in table.menu.verbs and "place-before" in given:
        before = table.find(given.pop("place-before"))
    row = device.add_row(table.menu.path, table.read(given), before=before)
    yield Worked(1)
    return Answer(ret=row.id)


def _set(device: Device, table: Table, command: Command) -> Steps:
    given = {name: value for name, value in command.attributes.items() if name not in (".id", "numbers")}
    changes = table.read(given)
    return (yield from _each(device, table, command, lambda row: _change(device, table, row, changes)))


def _switch(device: Device, table: Table, command: Command) -> Steps:
    changes = {"disabled": values.bool_text(command.verb == "disable")}
    return (yield from _each(device, table, command, lambda row: _change(device, table, row, changes)))


def _comment(device: Device, table: Table, command: Command) -> Steps:
    changes = table.read({"comment": command.attributes.get("comment", "")})
    return (yield from _each(device, table, command, lambda row: _change(device, table, row, changes)))


def _unset(device: Device, table: Table, command: Command) -> Steps:
    name = command.attributes.get("value-name")
    if name is None:
        raise traps.missing_argument("value-name")

    def clear(row: Row) -> None:
        _check_unlocked(row)
        device.clear_column(table.menu.path, row, name)

    return (yield from _each(device, table, command, clear))


def _remove(device: Device, table: Table, command: Command) -> Steps:
    def remove(row: Row) -> None:
        if table.menu is schema.PROFILE and row.id in BUILT_IN_PROFILES.values():
            raise traps.failure("can not remove built-in profile")
        if table.menu is schema.QUEUE:
            _check_unlocked(row)
        device.remove_row(table.menu.path, row)

    return (yield from _each(device, table, command, remove))


def _move(device: Device, table: Table, command: Command) -> Steps:
    destination = command.attributes.get("destination")
    rows = [table.find(reference) for reference in _references(command)]
    device.move_rows(table.menu.path, rows, table.find(destination) if destination else None)
    yield Worked(len(rows))
    return _DONE


def _monitor_traffic(device: Device, table: Table, command: Command) -> Steps:
    """Bits per second of interfaces, once or every second until the command is cancelled."""
    names = command.attributes.get("interface")
    if names is None:
        raise traps.missing_argument("interface")
    rows = [table.named(name) for name in names.split(",")]
    while True:
        if not all(row is not None and table.named(row.values["name"]) is row for row in rows):
            raise traps.no_such_value("interface")
        readings = [_traffic(device, row) for row in rows if row is not None]
        yield Worked(len(readings))
        if "once" in command.attributes:
            return Answer(readings)
        yield Emit(readings, MONITOR_INTERVAL_S)


def _traffic(device: Device, row: Row) -> dict[str, str]:
    rates = device.interface_rates.get(row.id)
    rx_bps, tx_bps = rates() if rates is not None else (0, 0)
    return {
        "name": row.values["name"],
        "rx-packets-per-second": str(rx_bps // PACKET_BITS),
        "rx-bits-per-second": str(rx_bps),
        "tx-packets-per-second": str(tx_bps // PACKET_BITS),
        "tx-bits-per-second": str(tx_bps),
    }


def _change(device: Device, table: Table, row: Row, changes: dict[str, str]) -> None:
    _check_unlocked(row)
    device.change_row(table.menu.path, row, changes)


def _check_unlocked(row: Row) -> None:
    if row.is_locked:
        raise traps.failure("can not change dynamic item")


def _references(command: Command) -> list[str]:
    listed = command.references
    if not listed:
        raise traps.missing_argument("numbers")
    return listed.split(",")


def _each(device: Device, table: Table, command: Command, apply: Callable[[Row], None]) -> Steps:
    """Apply to every row of the list, stopping at the first one that is refused."""
    if table.menu.is_single:
        apply(table.single())
        yield Worked(1)
        return _DONE
    references = _references(command)
    if device.settings.list_atomic:
        for reference in references:
            table.find(reference)
    for reference in references:
        apply(table.find(reference))
        yield Worked(1)
    return _DONE


_VERBS: dict[str, Callable[[Device, Table, Command], Steps]] = {
    "print": _print,
    "getall": _print,
    "add": _add,
    "set": _set,
    "enable": _switch,
    "disable": _switch,
    "comment": _comment,
    "unset": _unset,
    "remove": _remove,
    "move": _move,
    "monitor-traffic": _monitor_traffic,
}
