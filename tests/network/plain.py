"""A RouterOS client of the suite's own, for what people do at a router: one thing after the other, without tags.

It puts up with routers that have habits, and works through no code of the product.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 60.0
TRAP_END_S = 0.2  # how long the end behind a refusal is waited for
TOGETHER = 100  # commands sent in one go

Sentence = list[str]


@dataclass(frozen=True)
class Site:
    """A router to be tested at. ``subscribers`` has people who dial in, None where nobody can."""

    name: str
    host: str
    port: int
    user: str
    password: str
    use_tls: bool = False
    subscribers: Any = None


def word(data: bytes) -> bytes:
    size = len(data)
    if size < 0x80:
        return bytes([size]) + data
    if size < 0x4000:
        return (size | 0x8000).to_bytes(2, "big") + data
    if size < 0x200000:
        return (size | 0xC00000).to_bytes(3, "big") + data
    return (size | 0xE0000000).to_bytes(4, "big") + data


def sentence(words: Sequence[str]) -> bytes:
    return b"".join(word(one.encode()) for one in words) + b"\0"


class Sentences:
    """Cuts a stream into sentences, however it arrives."""

    def __init__(self) -> None:
        self._data = b""
        self._words: Sentence = []

    def feed(self, data: bytes) -> Iterator[Sentence]:
        self._data += data
        at = 0
        while at < len(self._data):
            first = self._data[at]
            more = (first >= 0x80) + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)
            if at + 1 + more > len(self._data):
                break
            head = first & (0x7F, 0x3F, 0x1F, 0x0F, 0x07)[more]
            size = int.from_bytes(bytes([head]) + self._data[at + 1 : at + 1 + more], "big")
            start = at + 1 + more
            if start + size > len(self._data):
                break
            at = start + size
            if size:
                self._words.append(self._data[start:at].decode("utf-8", "replace"))
            elif self._words:
                found, self._words = self._words, []
                yield found
        self._data = self._data[at:]


def values(words: Sequence[str]) -> dict[str, str]:
    return dict(one[1:].split("=", 1) for one in words if one.startswith("=") and "=" in one[1:])


def connect(site: Site) -> socket.socket:
    sock = socket.create_connection((site.host, site.port), timeout=PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if site.use_tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    return sock


class Hand:
    """Somebody at the router."""

    def __init__(self, site: Site) -> None:
        self._socket = connect(site)
        self._stream = Sentences()
        self._heard: list[Sentence] = []
        challenge = self.do("/login", f"=name={site.user}", f"=password={site.password}").get("ret", "")
        if challenge:
            digest = hashlib.md5(b"\0" + site.password.encode() + bytes.fromhex(challenge), usedforsecurity=False)
            self.do("/login", f"=name={site.user}", f"=response=00{digest.hexdigest()}")

    def close(self) -> None:
        self._socket.close()

    def ask(self, *words: str) -> list[Sentence]:
        return self.ask_all([words])[0]

    def ask_all(self, commands: Sequence[Sequence[str]]) -> list[list[Sentence]]:
        """The answers to many commands, a hundred sent at once; each ends with ``!done``, or ``!trap`` in case."""
        answers = []
        for start in range(0, len(commands), TOGETHER):
            some = commands[start : start + TOGETHER]
            self._socket.sendall(b"".join(sentence(words) for words in some))
            answers += [self._answer() for _ in some]
        return answers

    def do(self, *words: str) -> dict[str, str]:
        """A command that must be obeyed; what its end says."""
        answer = self.ask(*words)
        assert answer[-1][0] == "!done", f"{words[0]}: {answer}"
        assert not any(one[0] == "!trap" for one in answer), f"{words[0]}: {answer}"
        return values(answer[-1])

    def rows(self, path: str) -> list[dict[str, str]]:
        """All columns of all rows of a menu; none of a menu the router has not."""
        return [values(one) for one in self.ask(f"{path}/print") if one[0] == "!re"]

    def row(self, path: str, name: str) -> dict[str, str]:
        return next(row for row in self.rows(path) if row.get("name") == name)

    def change(self, path: str, name: str, verb: str, *words: str) -> None:
        """``set`` or ``remove`` the row of a name."""
        self.change_all(path, [self.row(path, name)[".id"]], verb, *words)

    def change_all(self, path: str, ids: Sequence[str], verb: str, *words: str) -> None:
        """One by one, in whichever word this router names rows by."""
        left = list(ids)
        for name in (".id", "numbers"):
            answers = self.ask_all([(f"{path}/{verb}", f"={name}={one}", *words) for one in left])
            left = [one for one, answer in zip(left, answers, strict=True) if _trap(answer)]
            if not left:
                return
        still = {row[".id"] for row in self.rows(path)} & set(left)
        assert not still, f"{path}/{verb} does not take {sorted(still)[:3]}"

    def _answer(self) -> list[Sentence]:
        found: list[Sentence] = []
        while not found or found[-1][0] not in ("!done", "!fatal"):
            self._socket.settimeout(TRAP_END_S if found and found[-1][0] == "!trap" else PATIENCE_S)
            try:
                found.append(self._read())
            except TimeoutError:
                break
            if len(found) > 1 and found[-2][0] == "!trap" and found[-1][0] != "!done":
                self._heard.insert(0, found.pop())  # the next answer: this router says no end
                break
        return found

    def _read(self) -> Sentence:
        while not self._heard:
            data = self._socket.recv(262_144)
            if not data:
                raise ConnectionError("the router closed the connection")
            self._heard += self._stream.feed(data)
        return self._heard.pop(0)


def _trap(answer: Sequence[Sentence]) -> str:
    return next((values(one).get("message", "refused") for one in answer if one[0] == "!trap"), "")
