"""Server-sent events beside the ordinary pages: words, never data.

Whether somebody may listen is asked of the pages themselves: the stream's own address is answered by an ordinary view
under the ordinary middleware (session, tenant, second factor, permission), which names the words he may hear. It is
asked again every ``LIVE_CHECK_S`` while the stream is open, so whoever signed out or lost a permission hears no more.
Between two such questions a stream holds no thread and no connection to the database.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings

from ispbilling.kernel.live_hub import Hub, Listener

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

log = structlog.get_logger(__name__)

#: A sign of life this often, so that proxies keep the connection and the dead are noticed. Seconds.
BEAT_S = 15.0
#: Two messages of one stream are at least so far apart. Seconds.
SPACING_S = 0.5
#: Whoever does not read for so long is let go. Seconds.
SLOW_S = 10.0
#: No stream lives longer; its page opens another one. Seconds.
LIFE_S = 1800.0
#: So long a new stream waits for Redis. Seconds.
HEARING_S = 2.0

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True)
class Permit:
    """What the pages answered: whose stream it is, of which tenant, and what he may hear."""

    tenant: str
    who: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page's answer as it came."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def permit(self) -> Permit | None:
        """None when the pages let nobody listen."""
        if self.status != 200:
            return None
        try:
            found = json.loads(self.body)
            return Permit(found["tenant"], found["who"], frozenset(found["words"]))
        except (ValueError, KeyError, TypeError):
            return None


class Streams:
    """An ASGI application around the pages: answers ``paths`` with streams, everything else is theirs."""

    def __init__(self, pages: Application, paths: Collection[str], *, slow_s: float = SLOW_S) -> None:
        self._pages = pages
        self._slow_s = slow_s
        self._paths = frozenset(paths)
        self._hub: Hub | None = None
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in self._paths:
            await self._pages(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._open.total() >= settings.LIVE_STREAMS_MAX:
            await _refuse(send, 503)
            return
        answer = await self._ask(scope)
        permit = answer.permit
        if permit is None:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})
            return
        person = f"{permit.tenant} {permit.who}"
        if self._open[person] >= settings.LIVE_STREAMS_PER_PERSON:
            await _refuse(send, 429)
            return
        if self._hub is None:
            self._hub = Hub(settings.REDIS_URL)
        self._open[person] += 1
        try:
            if not await self._hub.is_hearing(HEARING_S):
                await _refuse(send, 503)
                return
            await self._stream(scope, receive, send, permit)
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]

    async def _ask(self, scope: Message) -> Answer:
        """The view behind this address, through all that stands before every page."""
        status, headers, body = 500, [], b""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message["headers"])
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")

        await self._pages(dict(scope), receive, send)
        return Answer(status, headers, body)

    async def _stream(self, scope: Message, receive: Receive, send: Send, permit: Permit) -> None:
        assert self._hub is not None
        listener = Listener(permit.tenant, permit.words)
        self._hub.add(listener)
        leaving = asyncio.get_running_loop().create_task(_leave(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._write(send, ": listening\n\n")
            await self._tell(scope, send, permit, listener)
            await send({"type": "http.response.body", "body": b""})
        except (TimeoutError, OSError):
            log.info("live.let_go", who=permit.who)
        finally:
            leaving.cancel()
            self._hub.remove(listener)

    async def _tell(self, scope: Message, send: Send, permit: Permit, listener: Listener) -> None:
        clock = asyncio.get_running_loop().time
        ends, checked = clock() + LIFE_S * random.uniform(0.8, 1), clock()
        # Streams that were opened together, after a restart, do not ask together for ever.
        interval = settings.LIVE_CHECK_S * random.uniform(0.8, 1)
        while not listener.is_closed and clock() < ends:
            words = await listener.take(min(BEAT_S, checked + interval - clock()))
            if clock() >= checked + interval:
                if (await self._ask(scope)).permit != permit:
                    await self._write(send, "event: over\ndata: over\n\n")
                    return
                checked = clock()
            if listener.is_closed:
                return
            await self._write(send, "".join(f"event: word\ndata: {word}\n\n" for word in words) or ": \n\n")
            if words:
                await asyncio.sleep(SPACING_S)

    async def _write(self, send: Send, text: str) -> None:
        """Raises TimeoutError for a reader that does not read."""
        message = {"type": "http.response.body", "body": text.encode(), "more_body": True}
        await asyncio.wait_for(send(message), self._slow_s)


async def _leave(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close()


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"retry-after", b"30"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
