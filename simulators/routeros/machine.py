"""One router on the farm's loop: its ports, who is connected, its power. No method here waits or is called from
another thread."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import zlib
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any

from . import commands, faults
from .commands import Command
from .conversation import Conversation
from .device import Device, Settings
from .faults import Fault, Faults
from .journals import Connection, Connections
from .listener import Listener
from .outlet import linger_off
from .processor import Processor, Way
from .sessions import Sessions
from .traps import Trap

LOOK_S = 0.02  # how often a connection that is not read is looked at
GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
ANY_ROW = "{any}"


class Machine:
    """``tls`` gives the certificate's context and fingerprint, None for a router without TLS."""

    def __init__(
        self, name: str, settings: Settings, port: int, tls: Callable[[], tuple[ssl.SSLContext, str]] | None
    ) -> None:
        self.name = name
        if settings.seed is None:
            settings.seed = zlib.crc32(name.encode())
        self.device = Device(name, settings)
        self.sessions = Sessions(self.device)
        self.faults = Faults()
        self.connections = Connections()
        self.processor = Processor(settings)
        self.way = Way(settings)
        self.chance = Random(settings.seed)
        self.fingerprint = ""
        self._plain = Listener(lambda connection: self._accepted(connection, None))
        self._secure = Listener(lambda connection: self._accepted(connection, self._context))
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._wanted_port = port
        self._closings: list[asyncio.Event] = []  # while one is not set, connections are refused
        self._conversations: set[Conversation] = set()
        self._connected: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.Task[None]] = set()
        self._return: asyncio.TimerHandle | None = None
        self._redialler: asyncio.Task[None] | None = None
        self.device.is_powered = False

    @property
    def port(self) -> int:
        return self._plain.port

    @property
    def tls_port(self) -> int:
        return self._secure.port

    @property
    def is_listening(self) -> bool:
        """Whether connections are accepted. May be asked from any thread."""
        return self._plain.is_open

    def power_on(self) -> None:
        if self.device.is_powered:
            return
        self._forget_return()
        self.device.is_powered = True
        self._open_ports()
        self._redialler = asyncio.create_task(self._redial())

    def power_off(self, end: str = "power", lose_writes: int = 0) -> None:
        """Connections, sessions and all that is dynamic are gone; connections are refused."""
        self._forget_return()
        if not self.device.is_powered:
            return
        self.device.is_powered = False
        if self._redialler is not None:
            self._redialler.cancel()
        self._shut_ports()
        for conversation in list(self._conversations):
            conversation.power_fails(end)
        for task in self._connected:
            task.cancel()
        self.sessions.power_fails()
        self.device.boot(lose_writes)

    def restart(self, away_s: float, lose_writes: int) -> None:
        """Off, and on again after ``away_s``. A router whose plug was pulled stays off."""
        if not self.device.is_powered and self._return is None:
            return
        self.power_off("reboot", lose_writes)
        self._return = asyncio.get_running_loop().call_later(away_s, self.power_on)

    def close_port(self, fault: Fault) -> None:
        """Refuse connections as long as the fault holds."""
        released = fault.released

        async def hold() -> None:
            await fault.hold()
            self._closings.remove(released)
            self._open_ports()

        self._closings.append(released)
        self._shut_ports()
        self._keep(self._timers, hold())

    def arm(self, kind: str, options: dict[str, Any]) -> Fault:
        """Arm a fault; one that happens ``now`` does. Raises ValueError."""
        fault = self.faults.add(kind, options)
        if fault.at == faults.NOW and fault.take():
            if kind == "cut":
                for conversation in list(self._conversations):
                    conversation.hang_up(f"cut #{fault.number}", is_reset=fault["reset"])
            elif kind == "reboot":
                self.restart(fault["away_s"], fault["lose_writes"])
            elif kind == "port_closed":
                self.close_port(fault)
            else:
                self.hand(fault["sentence"])
        return fault

    def disarm(self, number: int | None = None) -> None:
        """Remove a fault, or all: who hangs in it goes on, a port it closed opens. Raises KeyError."""
        if number is None:
            self.faults.clear()
        else:
            self.faults.remove(number)
        self._open_ports()

    def release(self, number: int | None = None) -> None:
        """Let go on who hangs in a fault now, or in all. Raises KeyError."""
        self.faults.release(number)
        self._open_ports()

    def hand(self, sentence: Sequence[str]) -> None:
        """A command by hand whose refusal does not matter. ``{any}`` in it is a row of its menu, drawn by chance."""
        words = list(sentence)
        if any(ANY_ROW in word for word in words):
            table = self.device.tables.get(words[0].rpartition("/")[0])
            if not table:
                return
            chosen = self.chance.choice(table.order())
            words = [word.replace(ANY_ROW, chosen) for word in words]
        with contextlib.suppress(Trap):
            commands.carry_out_at_once(self.device, Command.parse(words))

    async def close(self) -> None:
        """Power off for good, and give the ports back."""
        self.power_off()
        self.disarm()
        await asyncio.gather(*self._connected, *self._timers, return_exceptions=True)
        self._shut_ports()
        self._plain.close()
        self._secure.close()

    def _open_ports(self) -> None:
        if not self.device.is_powered or not all(released.is_set() for released in self._closings):
            return
        self._plain.open(self._wanted_port)
        if self._tls is not None:
            self._context, self.fingerprint = self._tls()
            self._secure.open()

    def _shut_ports(self) -> None:
        self._plain.shut()
        self._secure.shut()

    def _forget_return(self) -> None:
        if self._return is not None:
            self._return.cancel()
            self._return = None

    async def _redial(self) -> None:
        while True:
            await asyncio.sleep(self.device.settings.redial_s)
            self.sessions.redial()

    def _accepted(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        entry = self.connections.open(context is not None)
        self._keep(self._connected, self._serve(connection, entry, context))

    @staticmethod
    def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _serve(self, raw: socket.socket, entry: Connection, context: ssl.SSLContext | None) -> None:
        reader = asyncio.StreamReader()
        line = asyncio.StreamReaderProtocol(reader)
        conversation: Conversation | None = None
        try:
            slow = await self._greet(raw, entry)
            if entry.closed_s is not None:
                return
            loop = asyncio.get_running_loop()
            transport, _ = await loop.connect_accepted_socket(lambda: line, raw, ssl=context)
            writer = asyncio.StreamWriter(transport, line, reader, loop)
            conversation = Conversation(self, writer, entry, slow)
            self._conversations.add(conversation)
            await conversation.listen(reader)
        except OSError:
            return  # the peer was gone before anything was said
        finally:
            entry.close("router" if self.device.is_powered else "power")
            if conversation is None:
                raw.close()
            else:
                self._conversations.discard(conversation)

    async def _greet(self, raw: socket.socket, entry: Connection) -> Fault | None:
        """What is armed for a connection before it is read. Returns what slows it down."""
        slow: Fault | None = None
        for fault in self.faults.at(faults.CONNECT):
            if entry.closed_s is not None or not fault.take():
                continue
            if fault.kind == "slow":
                slow = fault
            elif fault.kind == "cut":
                if fault["reset"]:
                    linger_off(raw)
                entry.close(f"cut #{fault.number}")
            elif not await _hold_unread(fault, raw):
                entry.close("peer")
        return slow


async def _hold_unread(fault: Fault, raw: socket.socket) -> bool:
    """Read nothing until the fault lets go. False when the peer went before."""
    poll = select.poll()
    poll.register(raw, GONE)
    holding = asyncio.create_task(fault.hold())
    try:
        while not holding.done():
            await asyncio.wait([holding], timeout=LOOK_S)
            if poll.poll(0):
                return False
    finally:
        holding.cancel()
    return True
