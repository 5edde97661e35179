"""One authenticated connection: librouteros opens it and signs in, our own codec speaks on it from then on.

librouteros buffers whole answers, knows no tags and changes types (``254712345678`` becomes a number); so mass reads
and writes do not pass through it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import librouteros
from librouteros.api import Api
from librouteros.exceptions import LibRouterosError, TrapError
from librouteros.login import encode_password

from ispbilling.kernel.errors import Refused, Retryable
from network.drivers.base import Target
from network.drivers.mikrotik.codec import CodecError, Decoder, attributes, encode_sentence

# At DEBUG the library writes every word it sends, passwords too.
logging.getLogger("librouteros").setLevel(logging.INFO)

#: What the trap of a wrong password says; any other trap at the log-in (too many sessions, not now) may pass.
_WRONG_PASSWORD = "user name or password"  # noqa: S105  the router's words

WINDOW = 100  # commands under way at once


@dataclass(slots=True)
class Reply:
    """The whole answer to one command. ``trap`` is the router's refusal, empty when it obeyed."""

    rows: list[dict[str, str]] = field(default_factory=list)
    ret: str = ""
    trap: str = ""
    category: str = ""


Command = Sequence[str]


class Link:
    """Tagged, pipelined commands with two deadlines: silence, and the whole contact."""

    def __init__(self, sock: socket.socket, target: Target, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self._socket = sock
        self._target = target
        self._deadline = time.monotonic() + target.total_timeout_s
        self._decoder = Decoder()
        self._tag = 0

    @classmethod
    def open(cls, target: Target) -> Link:
        """Connect and sign in. Raises Retryable ``router.away``, Refused ``router.login``, ``router.certificate``."""
        seen: list[str] = []
        watchdog: list[threading.Timer] = []

        def wrap(sock: socket.socket) -> socket.socket:
            # librouteros' time-out counts from byte to byte: a router that trickles would never be given up.
            watchdog.append(threading.Timer(target.login_timeout_s, _hang_up, (sock,)))
            watchdog[0].daemon = True
            watchdog[0].start()
            if not target.use_tls:
                return sock
            wrapped = _tls().wrap_socket(sock, server_hostname=target.host)
            certificate = wrapped.getpeercert(binary_form=True)
            fingerprint = hashlib.sha256(certificate).hexdigest() if certificate else ""
            if target.tls_fingerprint and fingerprint != target.tls_fingerprint.lower().replace(":", ""):
                wrapped.close()  # before the password is sent to a stranger
                raise Refused("router.certificate", "the router shows another certificate than before")
            seen.append(fingerprint)
            return wrapped

        try:
            api = librouteros.connect(
                target.host,
                target.username,
                target.password.reveal(),
                port=target.port,
                timeout=target.connect_timeout_s,
                encoding="utf-8",
                ssl_wrapper=wrap,
                login_method=_sign_in,
            )
        except TrapError as error:
            if _WRONG_PASSWORD in str(error).lower():
                raise Refused("router.login", "the router refused the user name or password") from error
            raise Retryable("router.away", f"the router lets nobody in now: {error}"[:120], sent=False) from error
        except (LibRouterosError, OSError, ValueError) as error:
            raise Retryable("router.away", type(error).__name__, sent=False) from error
        finally:
            for timer in watchdog:
                timer.cancel()
        return cls(api.protocol.transport.sock, target, seen[0] if seen else "")

    def run(self, commands: Sequence[Command]) -> list[Reply]:
        """Send all, in windows, and gather the answers in the order of the commands. Raises Retryable."""
        replies: list[Reply] = []
        for start in range(0, len(commands), WINDOW):
            replies += self._window(commands[start : start + WINDOW])
        return replies

    def _window(self, commands: Sequence[Command]) -> list[Reply]:
        replies: dict[str, Reply] = {}
        data = []
        for words in commands:
            self._tag += 1
            replies[str(self._tag)] = Reply()
            data.append(encode_sentence([*words, f".tag={self._tag}"]))
        waiting = set(replies)
        try:
            self._set_timeout()
            self._socket.sendall(b"".join(data))
            while waiting:
                self._set_timeout()
                received = self._socket.recv(262_144)
                if not received:
                    raise Retryable("router.away", "the router closed the connection")
                for sentence in self._decoder.feed(received):
                    _take(sentence, replies, waiting)
        except (OSError, CodecError) as error:
            self.close()
            raise Retryable("router.away", type(error).__name__) from error
        return list(replies.values())

    def _set_timeout(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Retryable("router.away", "the contact took too long")
        self._socket.settimeout(min(left, self._target.answer_timeout_s))

    def close(self) -> None:
        try:
            self._socket.close()
        except OSError:
            return


def _take(sentence: list[str], replies: dict[str, Reply], waiting: set[str]) -> None:
    kind, words = sentence[0], sentence[1:]
    if kind == "!fatal":
        raise Retryable("router.away", f"the router ended the conversation: {' '.join(words)[:80]}")
    tag = next((word[5:] for word in words if word.startswith(".tag=")), "")
    reply = replies.get(tag)
    if reply is None:
        return
    values = attributes(words)
    if kind == "!re":
        reply.rows.append(values)
    elif kind == "!trap":
        reply.trap, reply.category = values.get("message", "refused"), values.get("category", "")
    elif kind == "!done":
        reply.ret = values.get("ret", "")
        waiting.discard(tag)
    # Anything else is news to us (``!empty`` came with 7.18) and says nothing the others do not.


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _sign_in(api: Api, username: str, password: str) -> None:
    """One sentence since 6.43; a router that answers with a challenge is older and gets its hash."""
    answer = tuple(api("/login", name=username, password=password))
    challenge = next((str(row["ret"]) for row in answer if "ret" in row), "")
    if challenge:
        tuple(api("/login", name=username, response=encode_password(challenge.zfill(32), password)))


def _tls() -> ssl.SSLContext:
    """Routers sign their own certificates: whose it is, is known by its fingerprint, not by an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
