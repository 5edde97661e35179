"""The one clock. Product time is machine time plus an offset kept in the database.

The offset is read once per transaction, so everything one transaction decides happens at one instant, and a test,
the workers and the web process travel together. Production refuses an offset (``CLOCK_MAY_MOVE = False``) and then
never asks for it. What expires in machine time (tokens, one-time codes, queue delays) uses ``machine_now``.

The machine's clock itself may be wrong: ``kernel.clockwatch`` judges it, and ``has_come`` outlives that it was.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from ispbilling.kernel.errors import DomainError

#: The instant at which this process alone lives, when it does not live now.
_lived: datetime | None = None


def machine_now() -> datetime:
    """Now by this machine, UTC; in a process that lives in the past, that instant."""
    return _lived or wall()


def wall() -> datetime:
    """What this machine's own clock shows, UTC, wherever this process lives."""
    return datetime.now(UTC) + _displaced()


def live_at(instant: datetime | None) -> None:
    """Let this process alone live at an instant that has been, standing still there; None: now again.

    For making a history: what this process writes is dated there, everybody else goes on now. Raises DomainError
    ``clock.fixed`` where the clock is immutable, ``clock.ahead`` for what has not been yet.
    """
    global _lived
    if instant is not None and not settings.CLOCK_MAY_MOVE:
        raise DomainError("clock.fixed", "The clock of this installation cannot be moved.")
    if instant is not None and instant > wall():
        raise DomainError("clock.ahead", "Nobody lives at an instant that has not been.")
    _lived = instant


def _displaced() -> timedelta:
    """Tests set this machine's clock wrong for all processes: seconds, in a file beside the failpoints."""
    if settings.FAILPOINTS_DIR is None:
        return timedelta(0)
    try:
        return timedelta(seconds=float((Path(settings.FAILPOINTS_DIR) / "machine_clock").read_text()))
    except (FileNotFoundError, ValueError):
        return timedelta(0)


#: Whoever asks may have looked at the clock a moment before another wrote the longest wait there is.
_A_MOMENT = timedelta(minutes=1)


def has_come(field: str, *, longest: timedelta) -> Q:
    """Rows whose instant of machine time has come, or lies farther away than anybody sets it.

    The latter was written by a clock that ran ahead and was set right since: nothing may wait for that day.
    """
    now = machine_now()
    return Q(**{f"{field}__lte": now}) | Q(**{f"{field}__gt": now + longest + _A_MOMENT})


def now() -> datetime:
    """Now in product time, UTC."""
    return machine_now() + offset()


def today(zone: ZoneInfo) -> datetime:
    """The local midnight that began the current day in ``zone``."""
    return now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def offset() -> timedelta:
    """How far product time is ahead of the machine; zero in production."""
    if not settings.CLOCK_MAY_MOVE:
        return timedelta(0)
    if not connection.in_atomic_block:
        return _read()
    cached: timedelta | None = getattr(connection, "clock_offset", None)
    if cached is None:
        cached = _read()
        connection.clock_offset = cached  # type: ignore[attr-defined]
    return cached


def _read() -> timedelta:
    with connection.cursor() as cursor:
        cursor.execute("SELECT offset_s FROM kernel_clock WHERE id = 1")
        row = cursor.fetchone()
    return timedelta(seconds=float(row[0])) if row else timedelta(0)


def travel(by: timedelta) -> timedelta:
    """Move product time for every process, forwards only. Returns the new offset.

    Raises DomainError where the clock is immutable or would run backwards: history may not be written twice.
    """
    if not settings.CLOCK_MAY_MOVE:
        raise DomainError("clock.fixed", "The clock of this installation cannot be moved.")
    if by < timedelta(0):
        raise DomainError("clock.backwards", "The clock only moves forwards.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_clock (id, offset_s) VALUES (1, %s)"
            " ON CONFLICT (id) DO UPDATE SET offset_s = kernel_clock.offset_s + excluded.offset_s RETURNING offset_s",
            [by.total_seconds()],
        )
        moved = timedelta(seconds=float(cursor.fetchone()[0]))
        connection.clock_offset = moved  # type: ignore[attr-defined]
    return moved
