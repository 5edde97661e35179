"""Who did what to which row: append-only, refused to change by the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
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

    ``actor`` is ``user:<id>``, ``customer:<id>`` or ``system:<what>``; ``verb`` is ``noun.verb``. ``old`` and ``new``
    name what changed; a Secret shows as ``***``.
    """
    AuditEntry.objects.create(
        at=clock.now(),
        actor=actor,
        verb=verb,
        row_type=row._meta.label_lower,
        row_id=str(row.pk),
        old=_plain(old or {}),
        new=_plain(new or {}),
        reason=reason,
        source_address=source_address.get(),
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
