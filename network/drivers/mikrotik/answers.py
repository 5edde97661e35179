"""Which sentence answers which command. Pure: sentences in, replies out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from network.drivers.mikrotik.codec import attributes

NO_WORDS = "refused without a word"


@dataclass(slots=True)
class Reply:
    """The whole answer to one command. ``trap`` is the router's refusal, empty when it obeyed."""

    rows: list[dict[str, str]] = field(default_factory=list)
    ret: str = ""
    trap: str = ""
    has_tag: bool = False


class Answers:
    """The answers to the commands under way, known by their tags; ``tags`` in the order of the commands.

    A router may say no tags: an answer without one belongs to the only command that is under way. Among several it is
    lost, and its command is one of ``unanswered`` in the end. ``trap_ends``: this router says nothing after a refusal,
    where the manual wants a ``!done``.
    """

    def __init__(self, tags: Sequence[str], *, trap_ends: bool) -> None:
        self._replies = {tag: Reply() for tag in tags}
        self._waiting = set(tags)
        self._trap_ends = trap_ends
        self._lost: Counter[str] = Counter()
        self.fatal: str | None = None

    @property
    def is_complete(self) -> bool:
        ended = self._lost["!trap" if self._trap_ends else "!done"]
        return len(self._waiting) <= max(ended, self._lost["!done"])

    @property
    def lack_only_ends(self) -> bool:
        """Whether all that is still open was refused already: only the ``!done`` behind it is missing."""
        return sum(not self._replies[tag].trap for tag in self._waiting) <= self._lost["!trap"]

    def replies(self) -> list[Reply]:
        return list(self._replies.values())

    def unanswered(self) -> list[int]:
        """Where, among the commands, those stand whose answers were lost: obeyed or not."""
        return [at for at, (tag, reply) in enumerate(self._replies.items()) if tag in self._waiting and not reply.trap]

    def take(self, sentence: Sequence[str]) -> None:
        kind, words = sentence[0], sentence[1:]
        if kind == "!fatal":
            said = attributes(words)
            self.fatal = said.get("message") or " ".join(word for word in words if not word.startswith((".tag=", "=")))
            return
        tag = next((word[5:] for word in words if word.startswith(".tag=")), None)
        if tag is None and len(self._replies) > 1:
            self._lost[kind] += 1
            return
        reply = self._replies.get(tag or next(iter(self._replies)))
        if reply is None:
            return  # to a question nobody waits for any more
        reply.has_tag = tag is not None
        values = attributes(words)
        if kind == "!re":
            reply.rows.append(values)
        elif kind == "!trap":
            reply.trap = reply.trap or values.get("message") or NO_WORDS
        elif kind == "!done":
            reply.ret = values.get("ret", "")
        # Anything else is news to us (``!empty`` came with 7.18) and says nothing the others do not.
        if kind == "!done" or (kind == "!trap" and self._trap_ends):
            self._waiting.discard(tag or next(iter(self._replies)))
