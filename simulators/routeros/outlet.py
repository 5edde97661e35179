"""What leaves on one connection: at once, by trickles, or no further than a fault allows."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence

from .faults import Fault, Faults

TRICKLE_S = 0.02
FLUSH_LIMIT_S = 2.0  # a peer that does not read does not keep a cut connection


class Outlet:
    """``on_cut`` is called when a fault that counts sentences ends the connection."""

    def __init__(
        self, writer: asyncio.StreamWriter, faults: Faults, connection: int, on_cut: Callable[[Fault], None]
    ) -> None:
        self.slow: Fault | None = None  # of the whole connection
        self._writer = writer
        self._faults = faults
        self._connection = connection
        self._on_cut = on_cut
        self._is_over = False
        self._ready: list[bytes] = []
        self._queue: deque[tuple[bytes, Fault | None]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._finish: Callable[[], None] | None = None

    def send(self, sentences: Sequence[bytes], slow: Fault | None = None) -> None:
        """Send whole sentences, after what still trickles. Does nothing when the connection has ended."""
        if self._is_over or self._writer.is_closing():
            return
        if self._faults.counting():
            self._send_counted(sentences, slow)
        else:
            self._put(b"".join(sentences), slow)

    def end(self, *, is_polite: bool, is_reset: bool, on_end: Callable[[], None]) -> None:
        """End the connection when what was sent is out; ``on_end`` is called then. Politely: as a router closes it."""
        if self._is_over:
            return
        self._is_over = True

        def finish() -> None:
            on_end()
            self._close(is_polite, is_reset)

        if self._pump is None:
            finish()
        else:
            self._finish = finish

    def abort(self) -> None:
        """The power is gone: nothing more comes out."""
        self._is_over = True
        self._queue.clear()
        self._ready.clear()
        if self._pump is not None:
            self._pump.cancel()
        self._writer.transport.abort()

    def _send_counted(self, sentences: Sequence[bytes], slow: Fault | None) -> None:
        for sentence in sentences:
            halved = self._counted(is_mid=True)
            if halved is not None:
                self._put(sentence[: len(sentence) // 2], slow)
                self._on_cut(halved)
                return
            self._put(sentence, slow)
            for fault in self._faults.counting():
                key = self._key(fault)
                fault.counts[key] = fault.counts.get(key, 0) + 1
            ended = self._counted(is_mid=False)
            if ended is not None:
                self._on_cut(ended)
                return

    def _counted(self, *, is_mid: bool) -> Fault | None:
        """The fault whose number of sentences is reached, if it happens."""
        for fault in self._faults.counting():
            key = self._key(fault)
            if fault["mid_sentence"] == is_mid and fault.counts.get(key, 0) >= fault["sentences"]:
                fault.counts[key] = 0
                if fault.take():
                    return fault
        return None

    def _key(self, fault: Fault) -> int:
        return self._connection if fault["scope"] == "connection" else 0

    def _put(self, data: bytes, slow: Fault | None) -> None:
        slow = slow or self.slow
        if self._pump is None and slow is None:
            self._write(data)
            return
        self._queue.append((data, slow))
        if self._pump is None:
            self._pump = asyncio.create_task(self._trickle())

    async def _trickle(self) -> None:
        while self._queue and not self._writer.is_closing():
            data, slow = self._queue.popleft()
            while data:
                if slow is None or not slow.is_armed:
                    self._write(data)
                    break
                size = max(1, int(slow["bytes_per_s"] * TRICKLE_S))
                self._write(data[:size])
                data = data[size:]
                await asyncio.sleep(size / slow["bytes_per_s"])
        self._pump = None
        if self._finish is not None:
            self._finish()

    def _write(self, data: bytes) -> None:
        """What is said in one turn of the loop leaves together."""
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._flush)
        self._ready.append(data)

    def _flush(self) -> None:
        data = b"".join(self._ready)
        self._ready.clear()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    def _close(self, is_polite: bool, is_reset: bool) -> None:
        self._flush()
        transport = self._writer.transport
        if is_reset:
            linger_off(transport.get_extra_info("socket"))
        elif is_polite or transport.get_extra_info("ssl_object") is not None:
            self._writer.close()  # TLS cannot be told to send what it has and say no word more
            return
        if transport.get_write_buffer_size() == 0:
            transport.abort()
        else:
            self._pump = asyncio.create_task(self._flush_and_abort())

    async def _flush_and_abort(self) -> None:
        self._writer.transport.set_write_buffer_limits(0)
        with contextlib.suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(self._writer.drain(), FLUSH_LIMIT_S)
        self._writer.transport.abort()


def linger_off(connection: socket.socket) -> None:
    """Closing it will send a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
