"""Saying that something changed, to whoever looks at a page of it just now.

A word is a topic, ``payments``, or a topic with the id of a row, ``customer:<id>``. It carries nothing else: the page
that hears it fetches its part anew, under its own permission. Nothing depends on a word being heard, so a Redis that is
away costs a request or a task nothing, and words that nobody could be told are dropped.

``live_streams`` carries the words to browsers. The app that owns a topic declares it in ``apps.py``.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.http import JsonResponse
from redis import Redis
from redis.exceptions import RedisError

from ispbilling.kernel import tenancy

log = structlog.get_logger(__name__)

#: Channels of Redis begin so; a tenant's id follows.
CHANNEL = "live:"
#: What happens within this time is said once. Seconds.
TOGETHER_S = 0.2
#: After a failure Redis is left alone so long. Seconds.
REST_S = 5.0
#: More words than this wait for nobody: what is said of so many is said again.
PENDING_MAX = 20_000
#: A page listens for no more words than this.
WORDS_MAX = 40
_WORD = re.compile(r"[a-z]{1,20}(:[0-9a-f-]{36})?")

_topics: dict[str, str] = {}
_pending: dict[UUID, set[str]] = defaultdict(set)
_condition = threading.Condition()
_thread: threading.Thread | None = None


def declare(topic: str, *, permission: str) -> None:
    """Make a topic known, with what staff need to hear of it. Raises ValueError for one that is there already."""
    if topic in _topics:
        raise ValueError(f"live topic {topic!r} is declared twice")
    _topics[topic] = permission


def topics() -> dict[str, str]:
    """Topic → the permission to hear of it."""
    return dict(_topics)


def words_of(text: str) -> list[str]:
    """The well-formed words of a query string, each once; what is none is left out."""
    found = dict.fromkeys(word for word in text.split(",", WORDS_MAX)[:WORDS_MAX] if _WORD.fullmatch(word))
    return list(found)


def staff_words(text: str, granted: Collection[str]) -> list[str]:
    """Of the words asked for, those that may be heard with these permissions."""
    return [word for word in words_of(text) if _topics.get(word.partition(":")[0], "") in granted]


def permit(*, who: str, words: Iterable[str]) -> JsonResponse:
    """What ``live_streams`` asks the ordinary pages: who this is, and which words he may hear of this tenant."""
    return JsonResponse({"tenant": str(tenancy.tenant_id_required()), "who": who, "words": sorted(words)})


def say(*words: str) -> None:
    """Once the open transaction has committed, tell this tenant's open pages. Never fails, never waits."""
    tenant = tenancy.tenant_id()
    if tenant is not None and words:
        transaction.on_commit(lambda: _queue(tenant, words))


def _queue(tenant: UUID, words: tuple[str, ...]) -> None:
    global _thread
    with _condition:
        waiting = _pending[tenant]
        if len(waiting) < PENDING_MAX:
            waiting.update(words)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_say_forever, name="live", daemon=True)
            _thread.start()
        _condition.notify()


def _say_forever() -> None:
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0)
    resting_until = 0.0
    while True:
        with _condition:
            while not _pending:
                _condition.wait()
        time.sleep(TOGETHER_S)
        with _condition:
            batch = dict(_pending)
            _pending.clear()
        if time.monotonic() < resting_until:
            continue
        try:
            _publish(client, batch)
        except (RedisError, OSError) as error:
            resting_until = time.monotonic() + REST_S
            log.warning("live.unheard", error=type(error).__name__)


def _publish(client: Any, batch: dict[UUID, set[str]]) -> None:
    with client.pipeline(transaction=False) as pipe:
        for tenant, words in batch.items():
            pipe.publish(f"{CHANNEL}{tenant}", json.dumps(sorted(words)))
        pipe.execute()
