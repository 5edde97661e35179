"""The ears of one web process: one connection to Redis, whatever the number of open streams."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ispbilling.kernel.live import CHANNEL

log = structlog.get_logger(__name__)

#: A connection that is silent for so long is asked whether it lives. Seconds.
SILENCE_S = 15.0
REST_S = 2.0


class Listener:
    """One stream's ear: which words of a tenant it hears, and which were said since it was last looked at.

    A word waits once however often it is said, so that a listener never holds more than it listens for.
    """

    def __init__(self, tenant: str, words: Collection[str]) -> None:
        self.tenant = tenant
        self.words = frozenset(words)
        self.is_closed = False
        self._waiting: set[str] = set()
        self._stirred = asyncio.Event()

    def hear(self, words: Collection[str]) -> None:
        heard = self.words.intersection(words)
        if heard:
            self._waiting |= heard
            self._stirred.set()

    def close(self) -> None:
        self.is_closed = True
        self._stirred.set()

    async def take(self, timeout_s: float) -> list[str]:
        """The words that wait, after no longer than this; none when nothing was said or the listener was closed."""
        try:
            await asyncio.wait_for(self._stirred.wait(), max(timeout_s, 0))
        except TimeoutError:
            return []
        self._stirred.clear()
        taken, self._waiting = sorted(self._waiting), set()
        return taken


class Hub:
    """Hears what is said of any tenant and passes it to those who listen. Lives in one event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._hears = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def is_hearing(self, timeout_s: float) -> bool:
        """Whether words arrive; waits a while for it."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._hear_forever())
        try:
            await asyncio.wait_for(self._hears.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def add(self, listener: Listener) -> None:
        self._listeners[listener.tenant].add(listener)

    def remove(self, listener: Listener) -> None:
        here = self._listeners[listener.tenant]
        here.discard(listener)
        if not here:
            del self._listeners[listener.tenant]

    async def _hear_forever(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("live.deaf", error=type(error).__name__)
            self._hears.clear()
            # Words may be lost now: whoever listens comes again, and looks at everything when he is let in.
            for listeners in list(self._listeners.values()):
                for listener in list(listeners):
                    listener.close()
            await asyncio.sleep(REST_S)

    async def _hear(self) -> None:
        client = Redis.from_url(self._url, socket_connect_timeout=2.0)
        async with client, client.pubsub() as pubsub:
            await pubsub.psubscribe(f"{CHANNEL}*")
            is_asked = False
            while True:
                message = await pubsub.get_message(timeout=SILENCE_S)
                if message is None:
                    if is_asked:
                        raise TimeoutError
                    await pubsub.ping()
                    is_asked = True
                    continue
                is_asked = False
                if message["type"] == "psubscribe":
                    self._hears.set()
                elif message["type"] == "pmessage":
                    self._pass_on(message)

    def _pass_on(self, message: dict[str, Any]) -> None:
        tenant = message["channel"].decode().removeprefix(CHANNEL)
        listeners = self._listeners.get(tenant)
        if not listeners:
            return
        try:
            words = {word for word in json.loads(message["data"]) if isinstance(word, str)}
        except (ValueError, TypeError):
            return  # somebody else's
        for listener in list(listeners):
            listener.hear(words)
