"""Which sentence answers which command. Pure: sentences in, replies out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from network.drivers.mikrotik.codec import CodecError, attributes

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

    A router may say no tags: an answer without one belongs to the only command that is under way.
    ``trap_ends``: this router says nothing after a refusal, where the manual wants a ``!done``.
    """

    def __init__(self, tags: Sequence[str], *, trap_ends: bool) -> None:
        self._replies = {tag: Reply() for tag in tags}
        self._waiting = set(tags)
        self._trap_ends = trap_ends
        self.fatal: str | None = None

    @property
    def is_complete(self) -> bool:
        return not self._waiting

    @property
    def lack_only_ends(self) -> bool:
        """Whether all that is still open was refused already: only the ``!done`` behind it is missing."""
        return all(self._replies[tag].trap for tag in self._waiting)

    def replies(self) -> list[Reply]:
        return list(self._replies.values())

    def take(self, sentence: Sequence[str]) -> None:
        """Raises CodecError for an answer that cannot be told to belong to one command."""
        kind, words = sentence[0], sentence[1:]
        if kind == "!fatal":
            said = attributes(words)
            self.fatal = said.get("message") or " ".join(word for word in words if not word.startswith((".tag=", "=")))
            return
        tag = next((word[5:] for word in words if word.startswith(".tag=")), None)
        reply = self._replies.get(tag) if tag is not None else self._only_one()
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
            self._waiting.discard(tag if tag is not None else next(iter(self._replies)))

    def _only_one(self) -> Reply | None:
        if len(self._replies) > 1:
            raise CodecError("an answer without a tag while several commands are under way")
        return next(iter(self._replies.values())) if self._waiting else None
