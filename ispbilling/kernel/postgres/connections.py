"""This thread's connection: given back while something slow is waited for, and made anew while the server is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

T = TypeVar("T")
PAUSE_S = 0.5
_is_kept = False


def connection_release() -> None:
    """Close the connection until it is needed again: a thread that waits for a router keeps no server process busy.

    Inside a transaction nothing happens.
    """
    if not connection.in_atomic_block and not _is_kept:
        connection.close()


@contextmanager
def connection_kept() -> Iterator[None]:
    """For a while this process keeps its connection: nothing it waits for is slow."""
    global _is_kept
    _is_kept = True
    try:
        yield
    finally:
        _is_kept = False


def insist(work: Callable[[], T], *, for_s: float = 20.0) -> T:
    """Write what an outside system just answered, again and again while the database is away: it is told only once.

    ``work`` is one transaction, harmless twice. Raises its error when the time is over, or when another one is open.
    """
    deadline = time.monotonic() + for_s
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            log.warning("database.away", error=type(error).__name__)
            connection.close()
            time.sleep(PAUSE_S)
