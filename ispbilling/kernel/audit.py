"""Who did what to which row: append-only, refused to change by the database itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models

from ispbilling.kernel import clock
from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.models import AuditEntry

#: The address of the request being served; empty for automatic decisions.
source_address: ContextVar[str] = ContextVar("source_address", default="")


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened to one row. ``old`` and ``new`` name what changed; a Secret shows as ``***``."""

    row: models.Model
    old: Mapping[str, Any]
    new: Mapping[str, Any]


def record(
    *,
    actor: str,
    verb: str,
    row: models.Model,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write one entry in the open transaction.

    ``actor`` is ``user:<id>``, ``customer:<id>`` or ``system:<what>``; ``verb`` is ``noun.verb``.
    """
    record_many(actor=actor, verb=verb, entries=[Entry(row, old or {}, new or {})], reason=reason)


def record_many(*, actor: str, verb: str, entries: Iterable[Entry], reason: str = "") -> None:
    """The same thing happened to several rows: one statement."""
    at = clock.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=at,
            actor=actor,
            verb=verb,
            row_type=entry.row._meta.label_lower,
            row_id=str(entry.row.pk),
            old=_plain(entry.old),
            new=_plain(entry.new),
            reason=reason,
            source_address=source_address.get(),
        )
        for entry in entries
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return value
