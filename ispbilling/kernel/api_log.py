"""Hands what programs did to a writer that works beside the requests: no answer waits for the log."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)

#: More than this many wait only when the database does not take them; the oldest are then let go.
MOST_WAITING = 5_000


@dataclass(frozen=True, slots=True)
class Call:
    tenant_id: UUID
    at: datetime
    actor: str
    method: str
    route: str
    status: int
    took_ms: int
    source_address: str


_waiting: deque[Call] = deque(maxlen=MOST_WAITING)
_wake = threading.Event()
_lock = threading.Lock()
_thread: threading.Thread | None = None
_write: Callable[[Sequence[Call]], None] | None = None


def writer(write: Callable[[Sequence[Call]], None]) -> None:
    """Who writes the rows: said once, by the app that has the table."""
    global _write
    _write = write


def note(call: Call) -> None:
    """Never waits and never fails."""
    _waiting.append(call)
    if settings.API_LOG_FLUSH_S > 0:
        _start()
        _wake.set()


def taken() -> list[Call]:
    """What waits, which is then nobody else's."""
    rows: list[Call] = []
    while _waiting and len(rows) < MOST_WAITING:
        rows.append(_waiting.popleft())
    return rows


def flush() -> int:
    """Write what waits, in this thread. Returns how many."""
    rows = taken()
    if rows and _write is not None:
        _write(rows)
    return len(rows)


def _start() -> None:
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():  # after a fork there is none
            _thread = threading.Thread(target=_run, name="api-log", daemon=True)
            _thread.start()


def _run() -> None:
    pause = threading.Event()
    while True:
        _wake.wait()
        _wake.clear()
        pause.wait(settings.API_LOG_FLUSH_S)
        try:
            flush()
        except DatabaseError as error:  # told, and lost: the log of calls is not worth a request
            log.warning("api_log.lost", error=type(error).__name__)
        finally:
            connection.close()
