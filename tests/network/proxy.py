"""A wire between the driver and a router that counts, chops and breaks: faults at any router, whoever made it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.network.plain import Sentence, Sentences, Site, connect, sentence


@dataclass
class Cut:
    """The connection ends at the ``number``-th command of a name from now; the router hears it or not."""

    command: str
    number: int
    is_heard: bool


@dataclass(eq=False)
class Line:
    """One connection: the driver's side and the router's."""

    near: socket.socket
    far: socket.socket
    is_mute: bool = False
    has_answered: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """The driver's side breaks; the router's is closed."""
        with contextlib.suppress(OSError):
            self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for sock in (self.near, self.far):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Wire:
    """Listens on a port of its own and speaks to the site; to a site with TLS by TLS, while the driver's side is plain.

    ``commands`` are the sentences that were sent to the router, ``turns`` how often something was said after something
    was heard: what a contact costs on a line with latency.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.commands: list[Sentence] = []
        self.turns = 0
        self._lock = threading.Lock()
        self._last_was_router = True
        self._cut: Cut | None = None
        self._answer_left: int | None = None
        self._piece: int | None = None
        self._lines: list[Line] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut_at(self, command: str, number: int = 1, *, is_heard: bool) -> None:
        self._cut = Cut(command, number, is_heard)

    def cut_answer(self, after_bytes: int) -> None:
        """So many more bytes reach the driver, then the connection ends."""
        self._answer_left = after_bytes

    def chop(self, piece: int) -> None:
        """What the router says arrives in pieces of so many bytes."""
        self._piece = piece

    def forget(self) -> None:
        with self._lock:
            self.commands, self.turns, self._last_was_router = [], 0, True

    def count(self, command: str) -> int:
        return sum(words[0] == command for words in self.commands)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for line in self._lines:
            line.end()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                far = connect(self.site)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            line = Line(near, far)
            self._lines.append(line)
            for work in (self._outward, self._homeward):
                thread = threading.Thread(target=_carry, args=(work, line), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _outward(self, line: Line) -> None:
        stream = Sentences()
        while data := line.near.recv(65_536):
            passed, cut = [], None
            for words in stream.feed(data):
                cut = self._cut_reached(words)
                if cut is None or cut.is_heard:
                    passed.append(sentence(words))
                    self._note(words)
                if cut is not None:
                    line.is_mute = True
                    break
            line.far.sendall(b"".join(passed))
            if cut is not None:
                if cut.is_heard:
                    line.has_answered.wait(2)
                return

    def _note(self, words: Sentence) -> None:
        with self._lock:
            self.commands.append(words)
            self.turns += self._last_was_router
            self._last_was_router = False

    def _cut_reached(self, words: Sentence) -> Cut | None:
        cut = self._cut
        if cut is None or words[0] != cut.command:
            return None
        cut.number -= 1
        if cut.number:
            return None
        self._cut = None
        return cut

    def _homeward(self, line: Line) -> None:
        while data := line.far.recv(65_536):
            if line.is_mute:
                line.has_answered.set()
                continue
            with self._lock:
                self._last_was_router = True
            left, size = self._answer_left, self._piece or len(data)
            data = data[:left]
            for start in range(0, len(data), size):
                line.near.sendall(data[start : start + size])
            if left is not None:
                self._answer_left = left - len(data) or None
                if self._answer_left is None:
                    return


def _carry(work: Callable[[Line], None], line: Line) -> None:
    try:
        work(line)
    except OSError:
        return
    finally:
        line.end()
