"""What one router remembers for the tests: every write with its instants, and every connection with its log-in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


def moment(monotonic_s: float | None) -> str | None:
    """The wall clock (ISO, UTC) at an instant of this machine's monotonic clock."""
    if monotonic_s is None:
        return None
    return datetime.fromtimestamp(time.time() - time.monotonic() + monotonic_s, UTC).isoformat()


@dataclass(eq=False)
class JournalEntry:
    """One write command, in the order the router began them.

    ``at`` wall clock, UTC, and ``monotonic_s`` when the router began it, ``ended_s`` when it was done with it (None:
    not yet); both seconds are of the machine's monotonic clock, which all processes share. ``words`` without command
    and tag; ``by`` "api" or "hand"; ``connection`` the number in the journal of connections, None by hand.
    ``wanted`` rows were named, ``items`` of them were written; ``is_applied`` when that was all. ``trap`` is what the
    router refused it with, ``stopped`` why it went no further otherwise. ``is_lost``: taken back by a reboot that came
    before it was flushed. ``delay_ms`` is what latency and jitter held the command back.
    """

    number: int
    at: datetime
    monotonic_s: float
    command: str
    words: list[str]
    by: str
    connection: int | None = None
    user: str = ""
    delay_ms: float = 0.0
    wanted: int = 0
    items: int = 0
    is_applied: bool = False
    trap: str | None = None
    stopped: str | None = None
    is_lost: bool = False
    ended_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "at": self.at.isoformat()}


@dataclass(frozen=True)
class Origin:
    """Where a command came from: see JournalEntry."""

    by: str
    connection: int | None = None
    user: str = ""
    delay_ms: float = 0.0


BY_HAND = Origin("hand")


class Journal:
    """The writes of one router."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self._count = 0

    def begin(self, command: str, words: Sequence[str], origin: Origin, wanted: int) -> JournalEntry:
        self._count += 1
        entry = JournalEntry(
            self._count,
            datetime.now(UTC),
            time.monotonic(),
            command,
            list(words),
            origin.by,
            origin.connection,
            origin.user,
            origin.delay_ms,
            wanted,
        )
        self.entries.append(entry)
        return entry


@dataclass(eq=False)
class Connection:
    """One connection, seen by the router. Instants are seconds of the machine's monotonic clock, None = not yet.

    ``end`` says who ended it: "peer", or what the router or a fault did.
    """

    number: int
    is_tls: bool
    opened_s: float
    user: str = ""
    logged_in_s: float | None = None
    closed_s: float | None = None
    end: str = ""

    def log_in(self, user: str) -> None:
        """Note the first log-in; another one on the same connection opens no second."""
        if self.logged_in_s is None:
            self.user, self.logged_in_s = user, time.monotonic()

    def close(self, end: str) -> None:
        """Note the end; what ended it first counts."""
        if self.closed_s is None:
            self.closed_s, self.end = time.monotonic(), end

    @property
    def is_logged_in(self) -> bool:
        return self.logged_in_s is not None and self.closed_s is None

    def as_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "opened_at": moment(self.opened_s),
            "logged_in_at": moment(self.logged_in_s),
            "closed_at": moment(self.closed_s),
        }


class Connections:
    """All connections of one router, in the order they were opened."""

    def __init__(self) -> None:
        self.entries: list[Connection] = []
        self._count = 0

    def open(self, is_tls: bool) -> Connection:
        self._count += 1
        entry = Connection(self._count, is_tls, time.monotonic())
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget those that are closed."""
        self.entries = [entry for entry in self.entries if entry.closed_s is None]

    def open_logins(self, user: str | None = None) -> int:
        """How many are logged in now, of one user or of all."""
        return sum(entry.is_logged_in for entry in self._of(user))

    def max_open_logins(self, user: str | None = None) -> int:
        """The largest number of log-ins that were open at the same instant, of one user or of all together."""
        steps = [(entry.logged_in_s, 1) for entry in self._of(user) if entry.logged_in_s is not None]
        steps += [(entry.closed_s, -1) for entry in self._of(user) if entry.logged_in_s is not None and entry.closed_s]
        largest = now = 0
        for _, step in sorted(steps):  # at the same instant the closing (-1) comes first
            now += step
            largest = max(largest, now)
        return largest

    def users(self) -> list[str]:
        return sorted({entry.user for entry in self.entries if entry.logged_in_s is not None})

    def _of(self, user: str | None) -> list[Connection]:
        return [entry for entry in self.entries if user is None or entry.user == user]
