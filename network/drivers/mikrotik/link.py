"""One authenticated connection: tagged, pipelined commands, spoken by our own codec.

What a router does differently from the manual is learnt while speaking to it, and holds for the connection: whether it
repeats tags (one that does not is asked one thing at a time), whether a refusal is followed by an end.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import time
from collections.abc import Sequence

from ispbilling.kernel.errors import Refused, Retryable
from network.drivers.base import Target
from network.drivers.mikrotik.answers import Answers, Reply
from network.drivers.mikrotik.codec import CodecError, Decoder, encode_sentence
from network.drivers.mikrotik.login import not_let_in, sign_in

WINDOW = 200  # commands under way at once
END_S = 0.5  # how long the ``!done`` behind a refusal is waited for; routers send both at once

Command = Sequence[str]


class Ended(Retryable):
    """The router ended the conversation. ``words`` are its last ones, empty when it just hung up."""

    def __init__(self, words: str) -> None:
        said = f"the router ended the conversation: {words[:80]}" if words else "the router closed the connection"
        super().__init__("router.away", said)
        self.words = words


class Link:
    """Two deadlines: silence, and the whole contact (until signed in: the log-in)."""

    def __init__(self, sock: socket.socket, target: Target) -> None:
        self.fingerprint = ""
        self._socket = sock
        self._target = target
        self._deadline = time.monotonic() + target.login_timeout_s
        self._silence_s = target.connect_timeout_s
        self._decoder = Decoder()
        self._tag = 0
        self._has_tags: bool | None = None  # None: it has not answered a tagged command yet
        self._trap_ends = False

    @classmethod
    def open(cls, target: Target) -> Link:
        """Connect and sign in. Raises Retryable ``router.away``, Refused ``router.login``, ``router.certificate``."""
        try:
            sock = socket.create_connection((target.host, target.port), target.connect_timeout_s)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError) as error:
            raise Retryable("router.away", type(error).__name__, sent=False) from error
        link = cls(sock, target)
        try:
            if target.use_tls:
                link._wrap()
            link._sign_in()
        except BaseException:
            link.close()
            raise
        link._deadline = time.monotonic() + target.total_timeout_s
        link._silence_s = target.answer_timeout_s
        return link

    def run(self, commands: Sequence[Command]) -> list[Reply]:
        """Send all, in windows, and gather the answers in the order of the commands. Raises Retryable.

        The commands of one call may be obeyed in any order, and twice: each says how something is to be. The first one
        of a connection goes alone: it shows whether the router repeats tags.
        """
        replies: list[Reply] = []
        while len(replies) < len(commands):
            window = commands[len(replies) :][: WINDOW if self._has_tags else 1]
            answers = self._exchange(window, is_tagged=self._has_tags is not False)
            if None in answers:
                self._has_tags = False  # it forgets them at times: once more, one by one, what cannot be told apart
            found = [reply or self._alone(command) for command, reply in zip(window, answers, strict=True)]
            if self._has_tags is None:
                self._has_tags = found[0].has_tag
                if not self._has_tags and found[0].trap:
                    continue  # it may have been the tag that was refused: once more without
            replies += found
        return replies

    def _alone(self, command: Command) -> Reply:
        [reply] = self._exchange([command], is_tagged=False)
        return reply or Reply()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def _wrap(self) -> None:
        """TLS, and before the password is sent: is it the router we know?"""
        try:
            wrapped = _tls().wrap_socket(self._socket, server_hostname=self._target.host)
        except (OSError, ValueError) as error:
            raise Retryable("router.away", type(error).__name__, sent=False) from error
        self._socket = wrapped
        certificate = wrapped.getpeercert(binary_form=True)
        self.fingerprint = hashlib.sha256(certificate).hexdigest() if certificate else ""
        pinned = self._target.tls_fingerprint.lower().replace(":", "")
        if pinned and self.fingerprint != pinned:
            raise Refused("router.certificate", "the router shows another certificate than before")

    def _sign_in(self) -> None:
        def ask(command: Command) -> Reply:
            return self._alone(command)

        try:
            sign_in(ask, self._target.username, self._target.password)
        except Ended as error:
            if error.words:
                raise not_let_in(error.words) from error
            why = "the router hung up at the log-in, as some do when the user name or password is wrong"
            raise Retryable("router.away", why, sent=False) from error

    def _exchange(self, commands: Sequence[Command], *, is_tagged: bool) -> list[Reply | None]:
        """None stands for an answer that came without its tag while several were waited for."""
        tags = [str(self._tag + number) for number in range(1, len(commands) + 1)]
        self._tag += len(commands)
        answers = Answers(tags, trap_ends=self._trap_ends)
        sentences = [[*words, f".tag={tag}"] if is_tagged else words for words, tag in zip(commands, tags, strict=True)]
        try:
            if not is_tagged:
                self._forget_late_words()
            self._set_timeout()
            self._socket.sendall(b"".join(encode_sentence(words) for words in sentences))
            while not answers.is_complete:
                if not self._hear(answers):
                    self._trap_ends = True
                    break
        except (OSError, CodecError) as error:
            self.close()
            raise Retryable("router.away", type(error).__name__) from error
        lost = set(answers.unanswered())
        return [None if at in lost else reply for at, reply in enumerate(answers.replies())]

    def _hear(self, answers: Answers) -> bool:
        """Take in what comes next. False when nothing came and nothing but ends is missing."""
        lacks_only_ends = answers.lack_only_ends
        self._set_timeout(END_S if lacks_only_ends else None)
        try:
            received = self._socket.recv(262_144)
        except TimeoutError:
            if lacks_only_ends:
                return False
            raise
        except ConnectionResetError as error:
            raise Ended("") from error
        for sentence in self._decoder.feed(received):
            answers.take(sentence)
        if answers.fatal is not None:
            raise Ended(answers.fatal or "without a word")
        if not received:
            raise Ended("")
        return True

    def _forget_late_words(self) -> None:
        """Without tags, what came since the last answer would be taken for the next one."""
        self._socket.settimeout(0)
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            while received := self._socket.recv(65_536):
                for _ in self._decoder.feed(received):
                    continue

    def _set_timeout(self, at_most_s: float | None = None) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Retryable("router.away", "the contact took too long")
        self._socket.settimeout(min(left, self._silence_s, at_most_s if at_most_s is not None else left))


def _tls() -> ssl.SSLContext:
    """Routers sign their own certificates: whose it is, is known by its fingerprint, not by an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
