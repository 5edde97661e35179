"""A RouterOS client of the tests' own, written from the wire's description: bytes on a socket, nothing hidden."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from simulators.routeros import SimRouter

PATIENCE_S = 20.0
SET, PRINT = "/ppp/secret/set", "/ppp/secret/print"


def until(look: Callable[[], Any], limit_s: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


class OutOfStep(Exception):
    """What came is no sentence."""


class Raw:
    """One connection. ``read`` gives a sentence, None when the router has closed; TimeoutError when it says nothing."""

    def __init__(
        self,
        router: SimRouter,
        *,
        log_in: bool = True,
        user: str = "admin",
        password: str = "pw",
        tls: bool = False,
    ) -> None:
        port = router.tls_port if tls else router.port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        if tls:
            self.socket = blind_tls().wrap_socket(self.socket)
        self.user, self.password = user, password
        self.pending = b""
        if log_in:
            assert self.log_in() == [["!done"]]

    def __enter__(self) -> Raw:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def log_in(self) -> list[list[str]]:
        return self.ask("/login", f"=name={self.user}", f"=password={self.password}")

    def send(self, *words: str) -> None:
        self.send_together([words])

    def send_together(self, sentences: Iterable[Sequence[str]]) -> None:
        """In one go, so that all are under way before the first is obeyed."""
        parts = (b"".join(_word(word.encode()) for word in words) + b"\0" for words in sentences)
        self.socket.sendall(b"".join(parts))

    def ask(self, *words: str) -> list[list[str]]:
        """Send a command and read to its ``!done``; short of it when the router closes, or says ``!fatal``."""
        self.send(*words)
        return self.answer()

    def answer(self) -> list[list[str]]:
        found: list[list[str]] = []
        while (sentence := self.read()) is not None:
            found.append(sentence)
            if sentence[0] in ("!done", "!fatal"):
                break
        return found

    def read(self) -> list[str] | None:
        words: list[str] = []
        while True:
            length = self.length()
            if length is None and not words:
                return None
            if length == 0:
                return words
            word = self._take(length) if length is not None else None
            if word is None:
                raise OutOfStep(f"the connection ended inside a sentence: {words}")
            words.append(word.decode())

    def is_silent(self, for_s: float = 0.15) -> bool:
        """Whether nothing comes for a moment."""
        self.socket.settimeout(for_s)
        try:
            data = self.socket.recv(65_536)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        self.pending += data
        return False

    def is_closed(self) -> bool:
        """Whether the router closes, be it with a reset. Raises TimeoutError when it does not."""
        with contextlib.suppress(ConnectionResetError):
            while self.socket.recv(65_536):
                pass
        return True

    def reset(self) -> None:
        """Go without a farewell, as a process that is killed behind a firewall."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def length(self) -> int | None:
        head = self._take(1)
        if head is None:
            return None
        first = head[0]
        if first >= 0xF8:
            raise OutOfStep(f"control byte {first:#x}")
        for bits, mask, more in ((0x80, 0x7F, 0), (0xC0, 0x3F, 1), (0xE0, 0x1F, 2), (0xF0, 0x0F, 3), (0xF8, 0, 4)):
            if first < bits:
                rest = self._take(more) if more else b""
                if rest is None:
                    raise OutOfStep("the connection ended inside a length")
                return int.from_bytes(bytes([first & mask]) + rest, "big")
        raise AssertionError(first)

    def _take(self, count: int) -> bytes | None:
        while len(self.pending) < count:
            received = self.socket.recv(65_536)
            if not received:
                if self.pending:
                    raise OutOfStep("the connection ended inside a word")
                return None
            self.pending += received
        found, self.pending = self.pending[:count], self.pending[count:]
        return found


def blind_tls() -> ssl.SSLContext:
    """Takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _word(data: bytes) -> bytes:
    size = len(data)
    if size < 0x80:
        return bytes([size]) + data
    if size < 0x4000:
        return (size | 0x8000).to_bytes(2, "big") + data
    return (size | 0xC00000).to_bytes(3, "big") + data


def values(sentence: list[str]) -> dict[str, str]:
    return dict(word[1:].split("=", 1) for word in sentence if word.startswith("="))


def column(router: SimRouter, name: str, path: str = "/ppp/secret") -> list[str]:
    """One column of all rows of a menu, as the router has them."""
    return [row.get(name, "") for row in router.rows(path)]


def disable(raw: Raw, ids: list[str], *more: str) -> None:
    """Ask to disable these secrets, without waiting for the answer."""
    raw.send(SET, f"=.id={','.join(ids)}", "=disabled=yes", *more)


def disabled(router: SimRouter) -> int:
    """How many secrets are."""
    return column(router, "disabled").count("true")
