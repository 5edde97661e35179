"""Waking workers after a commit, off the path of the request.

The truth is in PostgreSQL; Celery only carries "there is work". A thread of the process sends those words with short
time-outs, so a Redis that hangs or is gone costs a request nothing: the beat sweeps up what nobody was woken for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

#: task name and queue by topic; the topic's argument is the task's only argument.
_topics: dict[str, tuple[str, str]] = {}
_pending: set[tuple[str, Any]] = set()
_condition = threading.Condition()
_thread: threading.Thread | None = None
_is_hushed = False


def topic(name: str, *, task: str, queue: str) -> None:
    """Declare a topic: what to send when somebody calls ``on_commit(name, …)``."""
    _topics[name] = (task, queue)


def on_commit(name: str, arguments: Iterable[Any]) -> None:
    """When the open transaction commits, send one task per argument; the same words wait only once."""
    wanted = {(name, argument) for argument in arguments}
    transaction.on_commit(lambda: _queue(wanted))


@contextmanager
def hushed() -> Iterator[None]:
    """Wake nobody from this process for a while: it does the work itself, and the beat finds what it left."""
    global _is_hushed
    _is_hushed = True
    try:
        yield
    finally:
        _is_hushed = False


def _queue(wanted: set[tuple[str, Any]]) -> None:
    global _thread
    if _is_hushed:
        return
    with _condition:
        _pending.update(wanted)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_send_forever, name="wake", daemon=True)
            _thread.start()
        _condition.notify()


def _send_forever() -> None:
    from celery import current_app

    while True:
        with _condition:
            while not _pending:
                _condition.wait()
            batch = set(_pending)
            _pending.clear()
        for name, argument in batch:
            task, queue = _topics[name]
            try:
                current_app.send_task(task, args=(argument,), queue=queue, retry=False, ignore_result=True)
            except (OperationalError, OSError) as error:
                # Nothing is lost: the rows are there and the beat finds them. The rest of the batch waits for it too.
                log.warning("wake.unheard", topic=name, error=type(error).__name__)
                break
