"""Typed events and the outbox: how a floor tells those above it what happened.

A service writes its rows and calls ``emit`` in one transaction; the event is a row. The drainer
(``kernel.outbox``) hands the events of a key to their handlers in the order they were written. A handler is one line
into a service and must not depend on the order of other keys.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, dataclass_transform, get_type_hints
from uuid import UUID

from django.db import connection, transaction

from ispbilling.kernel import clock, live, tenancy, wake
from ispbilling.kernel.ids import uuid7

SHARDS = 8

E = TypeVar("E")
Handler = Callable[[Any], None]

_types: dict[str, type] = {}
_handlers: dict[str, dict[str, Handler]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(name: str) -> Callable[[type[E]], type[E]]:
    """Class decorator: a frozen dataclass of ids, text, Decimal and instants becomes the event ``app.something``."""

    def add(cls: type[E]) -> type[E]:
        if name in _types:
            raise ValueError(f"event {name!r} is declared twice")
        made = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        made.event_name = name  # type: ignore[attr-defined]
        _types[name] = made
        return made

    return add


def handler(event_type: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Decorator: this function reacts to that event, in a transaction of the drainer, as the event's tenant."""

    def add(function: Callable[[E], None]) -> Callable[[E], None]:
        name = f"{function.__module__.split('.')[0]}.{function.__name__}"
        found = _handlers.setdefault(name_of(event_type), {})
        if name in found:
            raise ValueError(f"handler {name!r} is registered twice")
        found[name] = function
        return function

    return add


def name_of(event_type: type) -> str:
    return str(event_type.event_name)  # type: ignore[attr-defined]


def handlers_of(name: str) -> dict[str, Handler]:
    """Handlers of an event by their names, in a fixed order."""
    return dict(sorted(_handlers.get(name, {}).items()))


def event_types() -> dict[str, type]:
    return dict(sorted(_types.items()))


def shard_of(key: str) -> int:
    return zlib.crc32(key.encode()) % SHARDS


def emit(happened: Any, *, key: str) -> None:
    """Write one event into the outbox of the open transaction. ``key`` names whose order matters: ``customer:<id>``.

    The emitter holds the lock of the row that the key names, so that the order of the rows is the order of commits.
    """
    emit_many([(happened, key)])


def emit_many(happenings: Iterable[tuple[Any, str]]) -> None:
    """Several events in one statement."""
    rows = list(happenings)
    if not rows:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an event belongs into the transaction of what it tells")
    tenant, now = tenancy.tenant_id_required(), clock.machine_now()
    names, keys, shards, payloads = [], [], [], []
    for happened, key in rows:
        names.append(name_of(type(happened)))
        keys.append(key)
        shards.append(shard_of(key))
        payloads.append(_dump(happened))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_event (id, tenant_id, name, key, shard, payload, state, attempts, last_error,"
            " created_at, not_before)"
            " SELECT r.id, %s, r.name, r.key, r.shard, r.payload, 'pending', 0, '', %s, %s"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::smallint[], %s::jsonb[])"
            " WITH ORDINALITY AS r(id, name, key, shard, payload, n) ORDER BY r.n",
            [tenant, now, now, [uuid7() for _ in rows], names, keys, shards, payloads],
        )
    wake.on_commit("events", sorted(set(shards)))
    # What happened to a customer is seen on his page.
    live.say(*{key for key in keys if key.startswith("customer:")})


def _dump(happened: Any) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, UUID | Decimal):
            return str(value)
        if isinstance(value, datetime):
            return value.isoformat()
        raise TypeError(f"an event cannot carry {type(value).__name__}")

    fields = {field.name: getattr(happened, field.name) for field in dataclasses.fields(happened)}
    return json.dumps(fields, default=plain)


def load(name: str, payload: dict[str, Any]) -> Any:
    """The typed event again. Raises KeyError for a name nobody declares (an event of a newer version)."""
    cls = _types[name]
    hints = get_type_hints(cls)
    return cls(**{field: _typed(value, hints[field]) for field, value in payload.items() if field in hints})


def _typed(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    options = getattr(hint, "__args__", (hint,))
    for kind, parse in ((UUID, UUID), (Decimal, Decimal), (datetime, datetime.fromisoformat)):
        if kind in options or hint is kind:
            return parse(value)
    return value
