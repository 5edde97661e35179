"""A port of the router: open, or shut so that connections are refused, while the number stays the router's own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

HOST = "127.0.0.1"
BACKLOG = 1024


class Listener:
    """Hands accepted sockets (non-blocking) to ``accepted``. All methods run on the loop's thread."""

    def __init__(self, accepted: Callable[[socket.socket], None]) -> None:
        self.is_open = False
        self.port = 0
        self._accepted = accepted
        self._socket: socket.socket | None = None

    def open(self, port: int = 0) -> None:
        """Listen; the first time at ``port``, 0 for any free one, afterwards at the same again."""
        if self.is_open:
            return
        if self._socket is None:
            self._socket = _bound(port)
            self.port = int(self._socket.getsockname()[1])
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(self._socket, self._accept)
        self.is_open = True

    def shut(self) -> None:
        """Refuse connections; those that stand are not touched."""
        if self._socket is None or not self.is_open:
            return
        self.is_open = False
        asyncio.get_running_loop().remove_reader(self._socket)
        # Linux: a socket that was bound to a number keeps it after this, refuses, and may listen again. Without
        # SO_REUSEADDR nobody else is given the number meanwhile.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)

    def close(self) -> None:
        """Give the number back."""
        self.shut()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _accept(self) -> None:
        while self._socket is not None and self.is_open:
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._accepted(connection)


def _bound(port: int) -> socket.socket:
    """Bound to a number that was named: one the system chose by itself would be lost when the port is shut."""
    with socket.socket() as chooser:
        chooser.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        chooser.bind((HOST, port))
        found = socket.socket()
        found.setblocking(False)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, int(chooser.getsockname()[1])))
    return found
