"""Writes a power cut may still take back."""

from __future__ import annotations

from collections.abc import Callable

from .journals import JournalEntry

Undo = Callable[[], None]


class Flash:
    """Which of the last writes are still in memory only: how to take back what each command changed.

    A real router answers a write before its flash has it; a power cut may lose the last ones. The changes of the last
    ``KEPT`` commands are remembered.
    """

    KEPT = 500

    def __init__(self) -> None:
        self.writing: JournalEntry | None = None
        self._changes: dict[int, tuple[JournalEntry, list[tuple[int, Undo]]]] = {}
        self._count = 0

    def changed(self, undo: Undo) -> None:
        """Something was written; ``undo`` takes it back. Outside a command (a session's own rows) nothing is kept."""
        entry = self.writing
        if entry is None:
            return
        self._count += 1
        held = self._changes.get(entry.number)
        if held is None:
            held = self._changes[entry.number] = (entry, [])
            if len(self._changes) > self.KEPT:
                del self._changes[next(iter(self._changes))]
        held[1].append((self._count, undo))

    def boot(self, lose_writes: int) -> None:
        """Take back the last so many commands that changed something, newest change first; the rest is safe now."""
        lost = list(self._changes.values())[-lose_writes:] if lose_writes else []
        for entry, _ in lost:
            entry.is_lost = True
        for _, undo in sorted((change for _, changes in lost for change in changes), key=_when, reverse=True):
            undo()
        self._changes.clear()


def _when(change: tuple[int, Undo]) -> int:
    return change[0]
