"""The drainer: takes the events of one key in order and runs their handlers, each once.

One transaction handles some events of one key, under an advisory lock of that key. A handler runs inside a savepoint
together with its receipt ``(event, handler)``, so its effect and the fact that it ran are one. A handler that fails
stops its key until its back-off is over, and after ``MAX_ATTEMPTS`` its event is parked, with the error, for a person;
then the key goes on. Other keys never wait.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from ispbilling.kernel import audit, clock, clockwatch, events, live, tenancy, wake
from ispbilling.kernel.errors import Conflict, NotFound
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import Event

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
#: How long a finished event is kept: what happened is in the audit and the book, not here.
KEEP_DAYS = 30
KEYS_PER_ROUND = 200
EVENTS_PER_KEY = 50
BACK_OFF_MAX = timedelta(minutes=15)
#: An event waits for its instant; for one that is farther away than any back-off nobody waits (``clock.has_come``).
_DUE = "(not_before <= %s OR not_before > %s)"
#: The lock space of draining; the second number is the key's hash.
LOCK_SPACE = 0x0D12A1


def drain(shard: int, *, max_rounds: int = 1000) -> int:
    """Handle what is due in a shard until nothing is. Returns how many events were finished.

    While the machine's clock is certainly wrong nothing is handled: it would be dated wrong.
    """
    if not clockwatch.peek().may_date:
        return 0
    finished = 0
    blocked: set[tuple[UUID, str]] = set()
    for _ in range(max_rounds):
        keys = [key for key in _due_keys(shard) if key not in blocked]
        if not keys:
            break
        for tenant, key in keys:
            done, stuck = drain_key(tenant, key)
            finished += done
            if stuck:
                blocked.add((tenant, key))
    return finished


def drain_tenant() -> int:
    """Handle what is due of the current tenant until nothing is, whatever its shard. Returns how many were finished.

    For a process that does a tenant's work alone. Call outside a transaction.
    """
    tenant = tenancy.tenant_id_required()
    finished = 0
    while clockwatch.peek().may_date:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT key FROM kernel_event WHERE tenant_id = %s AND state = 'pending' AND {_DUE}"
                " GROUP BY key ORDER BY min(seq) LIMIT %s",
                [tenant, *_due(), KEYS_PER_ROUND],
            )
            keys = [row[0] for row in cursor.fetchall()]
        done = sum(drain_key(tenant, key)[0] for key in keys)
        finished += done
        if not done:
            break
    return finished


def _due_keys(shard: int) -> list[tuple[UUID, str]]:
    with tenancy.platform("outbox: find due keys"), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT tenant_id, key FROM kernel_event WHERE shard = %s AND state = 'pending' AND {_DUE}"
            " GROUP BY tenant_id, key ORDER BY min(seq) LIMIT %s",
            [shard, *_due(), KEYS_PER_ROUND],
        )
        return cursor.fetchall()


def _due() -> list[datetime]:
    now = clock.machine_now()
    return [now, now + BACK_OFF_MAX]


def drain_key(tenant: UUID, key: str) -> tuple[int, bool]:
    """Handle the due events of one key. Returns (events finished, whether the key cannot go on now)."""
    with tenancy.tenant_context(tenant), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, f"{tenant}:{key}"])
            if not cursor.fetchone()[0]:
                return 0, True
            # Only under the lock: a snapshot taken before it could miss what its last holder just finished.
            cursor.execute(
                f"SELECT id, name, payload, attempts, {_DUE} FROM kernel_event"
                " WHERE tenant_id = %s AND key = %s AND state = 'pending' ORDER BY seq LIMIT %s",
                [*_due(), tenant, key, EVENTS_PER_KEY],
            )
            waiting = cursor.fetchall()
        done: list[UUID] = []
        for event_id, name, payload, attempts, is_due in waiting:
            if not is_due or not _handle(event_id, name, payload, attempts):
                _finish(done)
                return len(done), True
            done.append(event_id)
        _finish(done)
        failpoint("events.before_commit")
        return len(done), False


def _finish(done: Sequence[UUID]) -> None:
    if done:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_event SET state = 'done', done_at = %s WHERE id = ANY(%s)",
                [clock.machine_now(), list(done)],
            )


def _handle(event_id: UUID, name: str, payload: Any, attempts: int) -> bool:
    """Run all handlers of one event. False when one failed; the failure is then written on the event."""
    if name not in events.event_types():
        # Written by a newer version of this program: it waits for a worker that knows it.
        _failed(event_id, attempts + 1, f"nobody here knows an event {name}")
        return False
    for handler_name, function in events.handlers_of(name).items():
        try:
            with transaction.atomic():
                if _receipt_is_new(event_id, handler_name):
                    function(events.load(name, payload if isinstance(payload, dict) else json.loads(payload)))
                    failpoint("events.after_handler")
        except Exception as error:
            # Whatever a handler raises is its own trouble: it is kept with the event and must not stop other keys.
            if isinstance(error, DatabaseError) and connection.connection is None:
                raise
            log.warning("event.failed", event_name=name, handler=handler_name, attempts=attempts + 1, exc_info=True)
            _failed(event_id, attempts + 1, f"{handler_name}: {type(error).__name__}: {error}")
            return False
    return True


def _receipt_is_new(event_id: UUID, handler_name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_receipt (id, tenant_id, event_id, handler, handled_at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [uuid7(), tenancy.tenant_id_required(), event_id, handler_name, clock.machine_now()],
        )
        return bool(cursor.rowcount == 1)


def _failed(event_id: UUID, attempts: int, error: str) -> None:
    parked = attempts >= MAX_ATTEMPTS
    delay = min(timedelta(seconds=2**attempts), BACK_OFF_MAX)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_event SET attempts = %s, last_error = %s, state = %s, not_before = %s WHERE id = %s",
            [attempts, error[:2000], "parked" if parked else "pending", clock.machine_now() + delay, event_id],
        )
    if parked:
        live.say("alerts")


def due_shards() -> list[int]:
    """Shards with something due: what the beat sweeps for."""
    with tenancy.platform("outbox: find due shards"), connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT shard FROM kernel_event WHERE state = 'pending' AND {_DUE}", _due())
        return sorted(row[0] for row in cursor.fetchall())


def purge(*, older_than_days: int = KEEP_DAYS, batch: int = 5000) -> int:
    """Forget what was finished long ago, receipts included, over all tenants. Returns how many events."""
    total = 0
    while True:
        with tenancy.platform("outbox: purge"), connection.cursor() as cursor:
            cursor.execute(
                "WITH old AS (SELECT id, tenant_id FROM kernel_event WHERE state = 'done'"
                " AND created_at < %s LIMIT %s),"
                " receipts AS (DELETE FROM kernel_receipt r USING old"
                " WHERE r.tenant_id = old.tenant_id AND r.event_id = old.id RETURNING r.event_id)"
                " SELECT array_agg(id), (SELECT count(*) FROM receipts) FROM old",
                [clock.machine_now() - timedelta(days=older_than_days), batch],
            )
            found = cursor.fetchone()[0] or []
            cursor.execute("DELETE FROM kernel_event WHERE id = ANY(%s)", [found])
        total += len(found)
        if len(found) < batch:
            return total


@transaction.atomic
def events_parked() -> QuerySet[Event]:
    """Events that keep failing and wait for a person."""
    return Event.objects.filter(state=Event.State.PARKED)


def event_retry(*, event_id: UUID, actor: str) -> Event:
    """Put a parked event back in its queue. Handlers that have run for it do not run again.

    Raises NotFound, Conflict ``event.not_parked``.
    """
    event = Event.objects.select_for_update(no_key=True).filter(id=event_id).first()
    if event is None:
        raise NotFound("event.unknown", "There is no such event.")
    if event.state != Event.State.PARKED:
        raise Conflict("event.not_parked", "Only a parked event can be tried again.")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_event SET state = 'pending', attempts = 0, not_before = %s WHERE id = %s",
            [clock.machine_now(), event_id],
        )
    audit.record(actor=actor, verb="event.retry", row=event, new={"name": event.name, "key": event.key})
    wake.on_commit("events", [event.shard])
    live.say("alerts")
    event.refresh_from_db()
    return event
