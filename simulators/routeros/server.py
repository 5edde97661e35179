"""The network side of simulated routers: many in one process, on one loop in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from . import commands, traps
from .certificate import server_context
from .commands import Answer, Command, Emit
from .device import Device, Settings
from .sessions import Cpe, Sessions
from .wire import Decoder, WireError, sentence_encode

T = TypeVar("T")
EMPTY_SINCE = (7, 18)
BAD_LOGIN = "invalid user name or password (6)"


class SimRouter:
    """One router. Its methods are called from other threads; the work is done on the farm's loop."""

    def __init__(self, farm: RouterFarm, name: str, settings: Settings, port: int, has_tls: bool) -> None:
        self.farm = farm
        self.name = name
        self.device = Device(name, settings)
        self.sessions = Sessions(self.device)
        self.port = port
        self.tls_port = 0
        self.fingerprint = ""
        self._has_tls = has_tls
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._redialler: asyncio.Task[None] | None = None

    # --- for other threads ------------------------------------------------------------------------------------

    def truth(self) -> list[dict[str, Any]]:
        return self.farm.call(self.sessions.truth)

    def rows(self, path: str) -> list[dict[str, str]]:
        """All columns of all rows of a menu."""
        return self.farm.call(lambda: [row.columns() for row in self.device.tables[path]])

    def journal(self) -> list[dict[str, Any]]:
        return self.farm.call(lambda: [entry.as_json() for entry in self.device.journal])

    def journal_clear(self) -> None:
        self.farm.call(self.device.journal.clear)

    def by_hand(self, *sentence: str) -> Answer:
        """A command as somebody at the router would give it. Raises Trap."""
        return self.farm.call(lambda: commands.carry_out_at_once(self.device, Command.parse(sentence)))

    def set(self, **changes: Any) -> None:
        self.farm.call(lambda: self.device.settings.change(changes))

    def cpe_add(self, name: str, password: str, mac: str, **options: Any) -> Cpe:
        cpe = Cpe(name, password, mac, **options)
        self.farm.call(lambda: self.sessions.cpes.__setitem__(name, cpe))
        return cpe

    def cpe_remove(self, name: str) -> None:
        def remove() -> None:
            self.sessions.cpes.pop(name, None)
            for session in self.sessions.of(name):
                self.sessions.end(session)

        self.farm.call(remove)

    def subscriber_dial(self, name: str, password: str, mac: str = "02:00:00:00:00:01") -> None:
        """Dial once. Raises DialRefused."""
        self.farm.call(lambda: self.sessions.dial(Cpe(name, password, mac, autodial=False)))

    def advance(self, seconds: float) -> None:
        """Let time pass for uptimes and counters."""
        self.farm.call(lambda: self.device.clock.advance(seconds))

    def power(self, is_on: bool) -> None:
        """Pull the plug, or put it back: connections and dynamic rows are gone, the port stays the same."""
        self.farm.await_(self._power_on() if is_on else self._power_off())

    # --- on the loop ------------------------------------------------------------------------------------------

    async def _power_on(self) -> None:
        if self._servers:
            return
        self.device.is_powered = True
        plain = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(plain.sockets[0].getsockname()[1])
        self._servers = [plain]
        if self._has_tls:
            context, self.fingerprint = self.farm.tls()
            secure = await asyncio.start_server(self._serve, "127.0.0.1", self.tls_port, ssl=context)
            self.tls_port = int(secure.sockets[0].getsockname()[1])
            self._servers.append(secure)
        self._redialler = asyncio.create_task(self._redial())

    async def _power_off(self) -> None:
        self.device.is_powered = False
        if self._redialler is not None:
            self._redialler.cancel()
        for server in self._servers:
            server.close()
        self._servers = []
        for writer in list(self._writers):
            writer.transport.abort()
        self.sessions.end_all()
        self.device.boot()

    async def _redial(self) -> None:
        while True:
            await asyncio.sleep(self.device.settings.redial_s)
            self.sessions.redial()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        conversation = Conversation(self, writer)
        try:
            await conversation.listen(reader)
        except (ConnectionError, WireError, asyncio.IncompleteReadError):
            return  # the peer is gone, or out of step: a router hangs up without a word
        finally:
            conversation.cancel_all()
            self._writers.discard(writer)
            writer.close()


class Conversation:
    """One connection: log-in, then commands, those with tags side by side."""

    def __init__(self, router: SimRouter, writer: asyncio.StreamWriter) -> None:
        self.router = router
        self.writer = writer
        self.settings = router.device.settings
        self.user = ""
        self._challenge = b""
        self._running: dict[str | None, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        decoder = Decoder()
        while data := await reader.read(65_536):
            for sentence in decoder.feed(data):
                if not await self._hear(sentence):
                    return
            await self.writer.drain()

    def cancel_all(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _hear(self, sentence: list[str]) -> bool:
        """Act on one sentence. False ends the conversation."""
        command = Command.parse(sentence)
        if sentence[0] == "/quit":
            self._say("!fatal", "session terminated on request")
            return False
        if sentence[0] == "/login":
            await self._pause()
            return self._login(command)
        if not self.user:
            self._say("!fatal", "not logged in")
            return False
        if sentence[0] == "/cancel":
            self._cancel(command)
            return True
        task = asyncio.create_task(self._run(command))
        self._running[command.tag] = task
        if command.tag is None:
            await task  # without a tag the next command waits
        return True

    async def _run(self, command: Command) -> None:
        try:
            await self._pause()
            answer = await self._carry_out(command)
        except traps.Trap as trap:
            self._trap(command.tag, trap)
        except asyncio.CancelledError:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._trap(command.tag, traps.interrupted())
            raise
        else:
            for row in answer.rows:
                self._reply("!re", command.tag, row)
            if answer.is_print and not answer.rows and self.settings.version_number >= EMPTY_SINCE:
                self._reply("!empty", command.tag, {})
            self._reply("!done", command.tag, {} if answer.ret is None else {"ret": answer.ret})
        finally:
            if self._running.get(command.tag) is asyncio.current_task():
                del self._running[command.tag]

    async def _carry_out(self, command: Command) -> Answer:
        """One row after the other; a router works on one command at a time."""
        steps = commands.carry_out(self.router.device, command, by="api")
        per_item_s = self.settings.service_ms_per_item / 1000
        try:
            while True:
                if per_item_s:
                    async with self._turn:
                        step = next(steps)
                        if isinstance(step, commands.Worked):
                            await asyncio.sleep(per_item_s * step.items)
                else:
                    step = next(steps)
                if isinstance(step, Emit):
                    for row in step.rows:
                        self._reply("!re", command.tag, row)
                    await asyncio.sleep(step.pause_s)
        except StopIteration as stop:
            answer: Answer = stop.value
            return answer

    async def _pause(self) -> None:
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)

    def _login(self, command: Command) -> bool:
        given, tag = command.attributes, command.tag
        name = given.get("name", "")
        wanted = self.settings.users.get(name)
        if self.settings.login == "old":
            if "response" not in given:
                self._challenge = os.urandom(16)
                self._reply("!done", tag, {"ret": self._challenge.hex()})
                return True
            digest = hashlib.md5(b"\0" + (wanted or "").encode() + self._challenge, usedforsecurity=False).hexdigest()
            is_right = wanted is not None and bool(self._challenge) and given["response"] == f"00{digest}"
        else:
            is_right = wanted is not None and given.get("password", "") == wanted
        if not is_right:
            self._trap(tag, traps.Trap(4, BAD_LOGIN))
            return True
        self.user = name
        self._reply("!done", tag, {})
        return True

    def _cancel(self, command: Command) -> None:
        tasks = (
            [self._running.get(command.attributes.get("tag"))]
            if "tag" in command.attributes
            else [*self._running.values()]
        )
        for task in tasks:
            if task is not None:
                task.cancel()
        self._reply("!done", command.tag, {})

    def _trap(self, tag: str | None, trap: traps.Trap) -> None:
        self._reply("!trap", tag, {"category": str(trap.category), "message": trap.message})
        self._reply("!done", tag, {})

    def _reply(self, kind: str, tag: str | None, values: dict[str, str]) -> None:
        words = [kind, *(f"={name}={value}" for name, value in values.items())]
        if tag is not None:
            words.append(f".tag={tag}")
        self._say(*words)

    def _say(self, *words: str) -> None:
        if not self.writer.is_closing():
            self.writer.write(sentence_encode(words))


class RouterFarm:
    """Many routers on one loop."""

    def __init__(self) -> None:
        self.routers: dict[str, SimRouter] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="routers", daemon=True)
        self._context: tuple[ssl.SSLContext, str] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        for router in self.routers.values():
            router.power(False)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def router(self, name: str) -> SimRouter:
        """Raises KeyError naming what exists."""
        try:
            return self.routers[name]
        except KeyError:
            raise KeyError(f"no router {name!r}; there are {', '.join(sorted(self.routers))}") from None

    def add(self, name: str, *, port: int = 0, has_tls: bool = False, **settings: Any) -> SimRouter:
        """A router that listens at once. Raises ValueError for a name that is taken or an unknown setting."""
        if name in self.routers:
            raise ValueError(f"there is a router {name!r} already")
        wanted = Settings()
        wanted.change(settings)
        router = SimRouter(self, name, wanted, port, has_tls)
        self.routers[name] = router
        router.power(True)
        return router

    def call(self, work: Callable[[], T]) -> T:
        """Do something on the loop and give its result, or raise its error, here."""

        async def run() -> T:
            return work()

        found: T = self.await_(run())
        return found

    def await_(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def tls(self) -> tuple[ssl.SSLContext, str]:
        """The farm's self-signed certificate and its fingerprint."""
        if self._context is None:
            self._context = server_context()
        return self._context
