"""Whether this machine's clock can be believed.

A reading of the wall clock is compared with the last one that was believed, by the counter that runs from boot and that
nobody sets. After a power cut a machine without a battery starts years back; a wrong time server makes it jump. While
the clock is certainly wrong (earlier than what has already been, or far ahead), nothing is booked: it would be dated
wrong. After a smaller jump, or before a time server has spoken, bookings go on and nobody is cut
(``billing.services.safety``). It ends by itself when the clock is right again, or by ``accept``: a person's word.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection, transaction

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

#: A clock that is disciplined drifts less than this between two looks; a step of less cuts nobody wrongly.
TOLERANCE = timedelta(seconds=90)
#: A clock that ran ahead by more than this dates nothing until a person has looked.
ABSURD = timedelta(hours=12)
#: How old the believed reading may become before a newer one takes its place.
REBASE_AFTER = timedelta(seconds=30)
#: Seconds for which a process believes its own last look.
FRESH_S = 1.0
#: What ``adjtimex`` returns while no time server (or GPS) disciplines the clock.
TIME_ERROR = 5


class State(StrEnum):
    RIGHT = "right"
    UNSYNCHRONISED = "unsynchronised"  # no time server has spoken yet
    BEHIND = "behind"  # earlier than an instant that has certainly been
    JUMPED = "jumped"  # ahead of what the counter says has passed


@dataclass(frozen=True, slots=True)
class Reading:
    """The clock as read. ``uptime_s`` counts from the boot named ``boot``, sleep included."""

    wall: datetime
    boot: str
    uptime_s: float
    is_synchronised: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the clock is, and for how long it has been so. ``off``: ahead of what it should be, negative = behind."""

    state: State
    off: timedelta = timedelta(0)
    lasted: timedelta = timedelta(0)

    @property
    def may_date(self) -> bool:
        """Whether what happens now may be given its instant."""
        return self.state is not State.BEHIND and not (self.state is State.JUMPED and self.off > ABSURD)

    @property
    def may_renew(self) -> bool:
        """Whether time may be taken at its word at all: renewals and reminders."""
        return self.state in (State.RIGHT, State.UNSYNCHRONISED)


@dataclass(frozen=True, slots=True)
class Known:
    """The last reading that was believed. ``accepted_boot``: a person accepted the clock since that boot."""

    wall: datetime
    boot: str
    uptime_s: float
    accepted_boot: str = ""


def judge(seen: Reading, known: Known | None, *, must_be_synchronised: bool) -> tuple[State, timedelta]:
    """The state of the clock, and how far it is off. Pure."""
    accepted = known is not None and known.accepted_boot == seen.boot
    if must_be_synchronised and not seen.is_synchronised and not accepted:
        return State.UNSYNCHRONISED, timedelta(0)
    if known is None:
        return State.RIGHT, timedelta(0)
    is_same_boot = known.boot == seen.boot
    passed = timedelta(seconds=seen.uptime_s - known.uptime_s) if is_same_boot else timedelta(0)
    off = seen.wall - (known.wall + passed)
    if off < -TOLERANCE:
        return State.BEHIND, off
    # Over a boot nobody knows how long the machine was off.
    if is_same_boot and off > TOLERANCE:
        return State.JUMPED, off
    return State.RIGHT, timedelta(0)


def read() -> Reading:
    """This machine's clock, counter and time service."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    if settings.FAILPOINTS_DIR is not None:
        renamed = Path(settings.FAILPOINTS_DIR) / "machine_boot"
        boot = renamed.read_text().strip() if renamed.exists() else boot
    return Reading(clock.wall(), boot, time.clock_gettime(time.CLOCK_BOOTTIME), _is_synchronised())


def _is_synchronised() -> bool:
    # struct timex is 208 bytes on 64-bit Linux; all zero asks without changing anything.
    return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) != TIME_ERROR)


_last: tuple[float, str, Verdict] | None = None


def look() -> Verdict:
    """The state of the clock now; what is new about it is kept. Call outside a transaction."""
    global _last
    seen, row = read(), _row()
    verdict, is_believed, is_news = _compare(seen, row)
    if is_news or (is_believed and (row is None or _is_old(seen, row))):
        _write(seen, verdict.state, is_believed=is_believed, is_news=is_news)
    if is_news and (row is not None or not is_believed):
        log.warning("clock.state", state=verdict.state, off_s=verdict.off.total_seconds())
    _last = None
    return verdict


def peek() -> Verdict:
    """The same without keeping anything: at most one row read a second, at any place."""
    global _last
    if settings.FAILPOINTS_DIR is not None:  # a test may set the clock at any moment
        return _compare(read(), _row())[0]
    if _last is None or _last[1] != _database() or time.monotonic() - _last[0] >= FRESH_S:
        _last = (time.monotonic(), _database(), _compare(read(), _row())[0])
    return _last[2]


def must_date() -> None:
    """Raises Unavailable ``clock.wrong`` while nothing may be dated."""
    if not peek().may_date:
        raise Unavailable("clock.wrong", "The clock of this system is wrong. Nothing can be booked until it is right.")


def _database() -> str:
    return str(connection.settings_dict["NAME"])


@dataclass(frozen=True, slots=True)
class _Row:
    known: Known
    state: str
    state_boot: str
    state_uptime_s: float


def _row() -> _Row | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wall, boot, uptime_s, accepted_boot, state, state_boot, state_uptime_s"
            " FROM kernel_clockwatch WHERE id = 1"
        )
        found = cursor.fetchone()
    if found is None:
        return None
    wall, boot, uptime_s, accepted, state, state_boot, state_uptime_s = found
    return _Row(Known(wall, boot, float(uptime_s), accepted), state, state_boot, float(state_uptime_s))


def _compare(seen: Reading, row: _Row | None) -> tuple[Verdict, bool, bool]:
    """(verdict, whether the reading is believed, whether its state is a new one)."""
    known = row.known if row else None
    state, off = judge(seen, known, must_be_synchronised=settings.CLOCK_MUST_BE_SYNCHRONISED)
    is_news = row is None or (row.state, row.state_boot) != (state, seen.boot)
    lasted = timedelta(0) if row is None or is_news else timedelta(seconds=seen.uptime_s - row.state_uptime_s)
    return Verdict(state, off, lasted), state is State.RIGHT, is_news


def _is_old(seen: Reading, row: _Row) -> bool:
    return row.known.boot != seen.boot or seen.uptime_s - row.known.uptime_s >= REBASE_AFTER.total_seconds()


def _write(seen: Reading, state: State, *, is_believed: bool, is_news: bool, accepted_boot: str = "") -> None:
    """Keep the state, and the reading with it if it is believed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_clockwatch AS w"
            " (id, wall, boot, uptime_s, accepted_boot, state, state_boot, state_uptime_s)"
            " VALUES (1, %(wall)s, %(boot)s, %(uptime)s, %(accepted)s, %(state)s, %(state_boot)s, %(state_uptime)s)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
            " wall = CASE WHEN %(believed)s THEN excluded.wall ELSE w.wall END,"
            " boot = CASE WHEN %(believed)s THEN excluded.boot ELSE w.boot END,"
            " uptime_s = CASE WHEN %(believed)s THEN excluded.uptime_s ELSE w.uptime_s END,"
            " accepted_boot = CASE WHEN %(accepted)s <> '' THEN %(accepted)s ELSE w.accepted_boot END,"
            " state_boot = CASE WHEN %(news)s THEN excluded.state_boot ELSE w.state_boot END,"
            " state_uptime_s = CASE WHEN %(news)s THEN excluded.state_uptime_s ELSE w.state_uptime_s END",
            {
                # A first reading that is not believed is kept as one that contradicts nothing.
                "wall": seen.wall if is_believed else datetime.fromtimestamp(0, UTC),
                "boot": seen.boot if is_believed else "",
                "uptime": seen.uptime_s,
                "accepted": accepted_boot,
                "state": state,
                "state_boot": seen.boot,
                "state_uptime": seen.uptime_s,
                "believed": is_believed,
                "news": is_news,
            },
        )


@transaction.atomic
def accept() -> None:
    """A person says that the clock is right as it is: it is believed from here on, and without a time server too."""
    global _last
    seen = read()
    _write(seen, State.RIGHT, is_believed=True, is_news=True, accepted_boot=seen.boot)
    _last = None
