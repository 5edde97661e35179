"""State machines as tables: the allowed moves are data, and one function makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import models

from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict
from ispbilling.kernel.sets import rows_update

M = TypeVar("M", bound=models.Model)


class Moves:
    """The allowed moves of one lifecycle: ``{from state: {to states}}``, every state named once."""

    def __init__(self, table: Mapping[str, set[str]]) -> None:
        self.table = {str(source): frozenset(map(str, targets)) for source, targets in table.items()}
        unknown = {target for targets in self.table.values() for target in targets} - set(self.table)
        if unknown:
            raise ValueError(f"moves lead to states without a row: {sorted(unknown)}")

    def allows(self, source: str, target: str) -> bool:
        return str(target) in self.table[str(source)]

    def diagram(self) -> str:
        """The table as a Mermaid state diagram, for the documentation."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {source} --> {target}" for source in self.table for target in sorted(self.table[source])]
        return "\n".join(lines)


def state_move(
    row: M,
    *,
    to: str,
    by: str,
    reason: str = "",
    field: str = "state",
    changes: Mapping[str, Any] | None = None,
) -> M:
    """Move a locked row to another state, with further column changes, and write who, when and why.

    The row must come from ``select_for_update`` in the open transaction: its state is trusted. The model names its
    table as ``MOVES``. Raises Conflict ``<model>.move``.
    """
    return state_move_many([(row, changes or {})], to=to, by=by, reason=reason, field=field)[0]


def state_move_many(
    rows: Sequence[tuple[M, Mapping[str, Any]]], *, to: str, by: str, reason: str = "", field: str = "state"
) -> list[M]:
    """Move several locked rows of one model to the same state, each with changes of its own: two statements.

    The changes of all rows name the same columns. Raises Conflict ``<model>.move`` and moves none.
    """
    entries = []
    for row, changes in rows:
        moves: Moves = row.MOVES  # type: ignore[attr-defined]
        source = str(getattr(row, field))
        if not moves.allows(source, to):
            name = row._meta.model_name or ""
            raise Conflict(f"{name}.move", f"A {row._meta.verbose_name} that is {source} cannot become {to}.")
        old = {field: source, **{name: getattr(row, name) for name in changes}}
        entries.append(audit.Entry(row, old, {field: str(to), **changes}))
    for row, changes in rows:
        for name, value in {field: to, **changes}.items():
            setattr(row, name, value)
    if len(rows) == 1:
        rows[0][0].save(update_fields=[field, *rows[0][1]])
    elif rows:
        rows_update([row for row, _ in rows], [field, *rows[0][1]])
    if rows:
        audit.record_many(actor=by, verb=f"{rows[0][0]._meta.model_name}.{to}", entries=entries, reason=reason)
    return [row for row, _ in rows]
