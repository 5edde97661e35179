"""Events: each handled once, in order per key, and a poison one bothers nobody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from ispbilling.kernel import events, outbox, tenancy
from ispbilling.kernel.errors import Conflict
from ispbilling.kernel.models import Event, Receipt
from tests import factories


@events.event("test.happened")
class Happened:
    """For these tests."""

    number: int
    thing: UUID


_seen: list[tuple[str, int]] = []
_poison: set[int] = set()


@events.handler(Happened)
def note(event: Happened) -> None:
    if event.number in _poison:
        raise ValueError(f"cannot stomach {event.number}")
    _seen.append((str(event.thing), event.number))


@events.handler(Happened)
def note_too(event: Happened) -> None:
    _seen.append((f"second {event.thing}", event.number))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    _seen.clear()
    _poison.clear()


def drain_everything() -> int:
    return sum(outbox.drain(shard) for shard in range(events.SHARDS))


def emit(number: int, thing: UUID, key: str = "k") -> None:
    events.emit(Happened(number=number, thing=thing), key=key)


def numbers(thing: UUID) -> list[int]:
    return [number for name, number in _seen if name == str(thing)]


def make_due(tenant: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_event SET not_before = clock_timestamp() WHERE state = 'pending'")


def test_events_of_a_key_arrive_in_the_order_they_were_written(tenant: Any) -> None:
    thing = uuid4()
    for number in range(5):
        emit(number, thing)
    drain_everything()
    assert numbers(thing) == [0, 1, 2, 3, 4]


def test_every_handler_gets_the_event_once(tenant: Any) -> None:
    thing = uuid4()
    emit(1, thing)
    drain_everything()
    drain_everything()
    assert sorted(_seen) == sorted([(str(thing), 1), (f"second {thing}", 1)])


def test_a_receipt_that_is_there_stops_the_handler(tenant: Any) -> None:
    """What protects against a repeat: without this row the handler runs again (see the next test)."""
    thing = uuid4()
    emit(1, thing)
    drain_everything()
    Event.objects.update(state=Event.State.PENDING)
    drain_everything()
    assert numbers(thing) == [1]


def test_without_receipts_a_repeat_would_act_twice(tenant: Any) -> None:
    thing = uuid4()
    emit(1, thing)
    drain_everything()
    Event.objects.update(state=Event.State.PENDING)
    Receipt.objects.all().delete()
    drain_everything()
    assert numbers(thing) == [1, 1]


def test_an_event_of_a_rolled_back_transaction_never_happened(tenant: Any) -> None:
    from django.db import transaction

    thing = uuid4()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        emit(1, thing)
        raise ZeroDivisionError
    drain_everything()
    assert numbers(thing) == []


def test_a_failing_event_holds_its_key_and_no_other(tenant: Any) -> None:
    ill, well = uuid4(), uuid4()
    _poison.add(1)
    emit(1, ill, key="ill")
    emit(2, ill, key="ill")
    emit(3, well, key="well")
    drain_everything()
    assert (numbers(ill), numbers(well)) == ([], [3])


def test_a_handler_that_worked_is_not_run_again_for_the_one_that_failed(tenant: Any) -> None:
    thing = uuid4()
    _poison.add(1)
    emit(1, thing)
    drain_everything()
    _poison.clear()
    make_due(tenant)
    drain_everything()
    assert sorted(name for name, _ in _seen) == sorted([str(thing), f"second {thing}"])


def test_a_poison_event_is_parked_with_its_error_and_its_key_goes_on(tenant: Any) -> None:
    thing = uuid4()
    _poison.add(1)
    emit(1, thing)
    emit(2, thing)
    for _ in range(outbox.MAX_ATTEMPTS):
        make_due(tenant)
        drain_everything()
    drain_everything()
    parked = Event.objects.get(state=Event.State.PARKED)
    assert parked.last_error.endswith("ValueError: cannot stomach 1")
    assert numbers(thing) == [2]


def test_a_parked_event_is_retried_by_hand(tenant: Any) -> None:
    thing = uuid4()
    _poison.add(1)
    emit(1, thing)
    for _ in range(outbox.MAX_ATTEMPTS):
        make_due(tenant)
        drain_everything()
    _poison.clear()
    outbox.event_retry(event_id=Event.objects.get().id, actor=factories.ACTOR)
    drain_everything()
    assert numbers(thing) == [1]


def test_only_a_parked_event_is_retried(tenant: Any) -> None:
    emit(1, uuid4())
    with pytest.raises(Conflict):
        outbox.event_retry(event_id=Event.objects.get().id, actor=factories.ACTOR)


def test_the_handler_works_in_the_tenant_of_the_event(db: None) -> None:
    tenants = [factories.tenant_make(), factories.tenant_make()]
    thing = uuid4()
    for number, tenant in enumerate(tenants):
        with tenancy.tenant_context(tenant.id):
            emit(number, thing)
    drain_everything()
    assert sorted(numbers(thing)) == [0, 1]


def test_an_event_of_a_newer_version_is_not_taken_for_done(tenant: Any) -> None:
    emit(1, uuid4())
    Event.objects.update(name="test.of_tomorrow")
    drain_everything()
    event = Event.objects.get()
    assert (event.state, event.last_error) == (Event.State.PENDING, "nobody here knows an event test.of_tomorrow")


def test_every_event_has_a_handler() -> None:
    without = [name for name in events.event_types() if not events.handlers_of(name)]
    assert without == ["network.access_changed", "network.router_went_down"]
