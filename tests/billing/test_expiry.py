"""Ends set by hand: days given, another day, for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Invoice, Subscription
from billing.services import (
    cycle_run,
    package_change_schedule,
    recharge_start,
    subscription_end,
    subscription_expiry_set,
    subscription_extend,
)
from ispbilling.kernel import clock
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.models import AuditEntry, Event
from tests import factories
from tests.billing.test_receipts import booked, paid


@pytest.fixture
def running(tenant: Any) -> Subscription:
    package = factories.package_make(period_unit="day", period_count=30)
    subscription = factories.subscription_make(package=package)
    paid(subscription, "1500")
    subscription.refresh_from_db()
    return subscription


def extend(subscription: Subscription, days: int = 3) -> None:
    subscription_extend(subscription_id=subscription.id, days=days, reason="a storm", actor="user:x")
    subscription.refresh_from_db()


def test_days_come_on_top_of_what_is_left(running: Subscription) -> None:
    was = running.expires_at
    extend(running)
    assert was is not None
    assert running.expires_at == was + timedelta(days=3)


def test_what_is_bought_later_begins_after_the_days_given(running: Subscription) -> None:
    extend(running)
    was = running.expires_at
    booked(running, "1500", recharge_start(subscription_id=running.id, periods=1, actor="user:x"), "R-2")
    running.refresh_from_db()
    assert was is not None
    assert running.expires_at == was + timedelta(days=30)


def test_days_bring_a_cut_line_back(running: Subscription, travel: Any) -> None:
    travel(days=31)
    cycle_run()
    extend(running)
    assert running.state == Subscription.State.ACTIVE
    assert running.next_change_at == running.expires_at


def test_days_cost_nothing(running: Subscription) -> None:
    extend(running)
    assert Invoice.objects.count() == 1


def test_why_stands_in_the_audit(running: Subscription) -> None:
    extend(running)
    entry = AuditEntry.objects.get(verb="subscription.gift")
    assert (entry.actor, entry.reason) == ("user:x", "a storm")


@pytest.mark.parametrize(("days", "reason"), [(0, "x"), (-3, "x"), (367, "x"), (3, ""), (3, "  ")])
def test_what_makes_no_sense_is_refused(days: int, reason: str, running: Subscription) -> None:
    with pytest.raises(DomainError):
        subscription_extend(subscription_id=running.id, days=days, reason=reason, actor="user:x")


def test_an_end_in_the_past_cuts_with_the_next_run(running: Subscription) -> None:
    past = clock.now() - timedelta(minutes=1)
    subscription_expiry_set(subscription_id=running.id, expires_at=past, reason="mistake", actor="user:x")
    cycle_run()
    running.refresh_from_db()
    assert (running.state, running.expires_at) == (Subscription.State.SUSPENDED, past)


def test_what_never_ran_cannot_have_run_out(tenant: Any) -> None:
    subscription = factories.subscription_make()
    with pytest.raises(Conflict) as refused:
        past = clock.now() - timedelta(days=1)
        subscription_expiry_set(subscription_id=subscription.id, expires_at=past, reason="x", actor="user:x")
    assert refused.value.code == "expiry.unpaid"


def test_an_ordered_change_of_package_moves_with_the_end(running: Subscription) -> None:
    package_change_schedule(subscription_id=running.id, package_id=factories.package_make().id, actor="user:x")
    extend(running)
    assert running.package_changes_at == running.expires_at


def test_an_ended_subscription_is_blocked_and_stays_so(running: Subscription) -> None:
    Event.objects.all().delete()
    subscription_end(subscription_id=running.id, reason="moved away", actor="user:x")
    running.refresh_from_db()
    assert (running.state, running.next_change_at) == (Subscription.State.ENDED, None)
    assert [event.name for event in Event.objects.all()] == ["billing.subscription_changed"]
    with pytest.raises(Conflict):
        extend(running)
