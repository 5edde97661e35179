"""The passing of time: who is renewed, reminded and cut, when, and what holds a cut back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.entitlement import Level
from billing.models import BillingPolicy, CutStop, Invoice, Subscription
from billing.selectors import entitlement_now, policy_current
from billing.services import customer_hold, cuts_release, cycle_run, policy_set
from billing.services.ledger import ledger_check
from customers.models import Customer
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import AuditEntry, Event
from tests import factories
from tests.billing.test_receipts import booked, paid

State = Subscription.State


def month(**given: Any) -> Subscription:
    """A subscription of 30 days, paid for now."""
    package = factories.package_make(period_unit="day", period_count=30, **given)
    subscription = factories.subscription_make(package=package)
    paid(subscription, "1500", number=str(uuid7()))
    return fresh(subscription)


def fresh(subscription: Subscription) -> Subscription:
    return Subscription.objects.get(id=subscription.id)


def many(count: int, *, due: int) -> list[Subscription]:
    """``count`` active subscriptions, of which ``due`` ran out a minute ago."""
    customers = Customer.objects.bulk_create(
        Customer(code=f"M{number}", name="Many", created_at=clock.now()) for number in range(count)
    )
    package, now = factories.package_make(period_unit="day", period_count=30), clock.now()
    ends = [now - timedelta(minutes=1) if number < due else now + timedelta(days=9) for number in range(count)]
    return Subscription.objects.bulk_create(
        Subscription(
            customer=customer, package=package, state=State.ACTIVE, anchor_at=end - timedelta(days=30), periods=1,
            expires_at=end, next_change_at=end, extended_at=end - timedelta(days=30), created_at=now,
        )
        for customer, end in zip(customers, ends, strict=True)
    )  # fmt: skip


def states() -> dict[str, int]:
    rows = list(Subscription.objects.values_list("state", flat=True))
    return {state: rows.count(state) for state in sorted(set(rows))}


def events(name: str) -> list[Any]:
    return list(Event.objects.filter(name=f"billing.{name}").order_by("seq").values_list("payload", flat=True))


def test_at_the_end_he_is_cut_and_it_is_told_once(tenant: Any, travel: Any) -> None:
    subscription = month()
    travel(days=30)
    cycle_run()
    cycle_run()
    assert (fresh(subscription).state, len(events("subscription_suspended"))) == (State.SUSPENDED, 1)
    assert fresh(subscription).suspended_at is not None
    assert AuditEntry.objects.filter(verb="subscription.suspended", row_id=str(subscription.id)).count() == 1


def test_a_minute_before_nobody_is_cut(tenant: Any, travel: Any) -> None:
    subscription = month()
    travel(days=29, hours=23, minutes=59)
    assert cycle_run()["changed"] == 0
    assert fresh(subscription).state == State.ACTIVE


def test_grace_keeps_him_online_and_then_ends(tenant: Any, travel: Any) -> None:
    policy_set(changes={"grace_hours": 24}, actor=factories.ACTOR)
    subscription = month()
    travel(days=30, minutes=1)
    cycle_run()
    assert (fresh(subscription).state, events("subscription_suspended")) == (State.GRACE, [])
    travel(days=1)
    cycle_run()
    assert fresh(subscription).state == State.SUSPENDED


def test_the_wallet_renews_before_any_cut_and_from_the_same_anchor(tenant: Any, travel: Any) -> None:
    subscription = month()
    booked(subscription, "1600", None, "B")
    travel(days=30, hours=2)
    assert cycle_run() == {"renewed": 1, "changed": 0, "reminded": 0, "failed": 0}
    after = fresh(subscription)
    assert subscription.expires_at is not None
    assert (after.state, after.expires_at) == (State.ACTIVE, subscription.expires_at + timedelta(days=30))
    assert [row["amount"] for row in events("subscription_renewed")] == ["1500.00"]
    assert (Invoice.objects.count(), ledger_check()) == (2, [])


def test_a_wallet_of_one_period_renews_one_of_two_subscriptions(tenant: Any, travel: Any) -> None:
    one = month()
    other = factories.subscription_make(customer=one.customer, package=one.package)
    paid(other, "1500", number="B")
    booked(one, "1500", None, "C")
    travel(days=30, minutes=1)
    counts = cycle_run()
    assert (counts["renewed"], counts["changed"], states()) == (1, 1, {"active": 1, "suspended": 1})


def test_who_does_not_want_it_is_not_renewed(tenant: Any, travel: Any) -> None:
    subscription = month()
    booked(subscription, "1600", None, "B")
    Subscription.objects.update(is_auto_renewed=False)
    travel(days=30, minutes=1)
    cycle_run()
    assert fresh(subscription).state == State.SUSPENDED


def test_reminders_are_told_at_seven_three_and_one_day_once_each(tenant: Any, travel: Any) -> None:
    month()
    told = []
    for days in (22, 1, 1, 3, 1, 1, 1):  # day 22, 23, 24, 27, 28, 29, 30
        travel(days=days, seconds=1)
        told.append(cycle_run()["reminded"])
        cycle_run()
    assert [row["days"] for row in events("expiry_near")] == [7, 3, 1]
    assert told == [0, 1, 0, 1, 0, 1, 0]


def test_after_a_long_outage_only_the_nearest_reminder_is_told(tenant: Any, travel: Any) -> None:
    month()
    travel(days=29, minutes=1)
    cycle_run()
    assert [row["days"] for row in events("expiry_near")] == [1]


@pytest.mark.parametrize(("unit", "count"), [("hour", 3), ("day", 1), ("day", 7)])
def test_a_purchase_that_says_how_long_it_lasts_is_not_followed_by_a_reminder(
    tenant: Any, unit: str, count: int
) -> None:
    subscription = factories.subscription_make(package=factories.package_make(period_unit=unit, period_count=count))
    paid(subscription, "1500")
    cycle_run()
    assert events("expiry_near") == []


def test_an_hour_renewed_from_the_wallet_again_and_again_is_not_reminded_of(tenant: Any, travel: Any) -> None:
    package = factories.package_make(period_unit="hour", period_count=1, price=Decimal(10))
    subscription = factories.subscription_make(package=package)
    booked(subscription, "400", None, "A")
    for _ in range(30):
        travel(hours=1)
        cycle_run()
    assert (fresh(subscription).state, events("expiry_near")) == (State.ACTIVE, [])


def test_a_renewal_during_the_reminder_is_reminded_anew(tenant: Any, travel: Any) -> None:
    subscription = month()
    travel(days=25)
    cycle_run()
    paid(subscription, "1500", number="B")
    travel(days=29)
    cycle_run()
    assert [row["days"] for row in events("expiry_near")] == [7, 7]


def test_everything_due_is_done_in_one_run_and_in_few_statements(tenant: Any) -> None:
    policy_set(changes={"brake_minimum": 30_000}, actor=factories.ACTOR)
    many(1200, due=1100)
    with CaptureQueriesContext(connection) as captured:
        counts = cycle_run()
    assert counts == {"renewed": 0, "changed": 1100, "reminded": 0, "failed": 0}
    assert states() == {"active": 100, "suspended": 1100}
    assert len(events("subscription_changed")) == 1100
    assert len(captured) < 120


def test_one_rotten_subscription_keeps_no_other_online(committed: None) -> None:
    """A trigger plays the fault: the database refuses to change this one row, whatever the reason."""
    from django.conf import settings

    from tests.servers import admin

    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id):
        with transaction.atomic():
            policy_set(changes={"brake_minimum": 30_000}, actor=factories.ACTOR)
            rotten = many(20, due=9)[4]
        with admin(settings.DATABASES["default"]["NAME"]) as server:
            server.execute(
                "CREATE FUNCTION rot() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'rotten'; END $$"
            )
            server.execute(
                "CREATE TRIGGER rot BEFORE UPDATE ON billing_subscription FOR EACH ROW"
                f" WHEN (old.id = '{rotten.id}') EXECUTE FUNCTION rot()"
            )
            try:
                counts = cycle_run()
            finally:
                server.execute("DROP TRIGGER rot ON billing_subscription")
                server.execute("DROP FUNCTION rot()")
        with transaction.atomic():
            assert (counts["changed"], counts["failed"], states()) == (8, 1, {"active": 12, "suspended": 8})
        assert cycle_run()["changed"] == 1


def test_a_customer_who_is_being_paid_for_is_left_for_the_next_run(committed: None) -> None:
    import threading

    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id):
        with transaction.atomic():
            rows = many(20, due=2)
        held, done = threading.Event(), threading.Event()

        def pay() -> None:
            with tenancy.tenant_context(tenant.id), transaction.atomic():
                Customer.objects.select_for_update(no_key=True).get(id=rows[0].customer_id)
                held.set()
                done.wait(30)
            connection.close()

        payer = threading.Thread(target=pay)
        payer.start()
        held.wait(30)
        assert cycle_run()["changed"] == 1
        done.set()
        payer.join()
        assert cycle_run()["changed"] == 1


# --- the brake ---------------------------------------------------------------------------------------------------


def test_a_run_that_would_cut_two_fifths_of_500_stops_before_the_first_and_says_why(tenant: Any) -> None:
    many(500, due=200)
    cycle_run()
    stop = CutStop.objects.get()
    assert (stop.would_cut, stop.of_active, states()) == (200, 500, {"active": 300, "grace": 200})
    assert events("cuts_stopped") == [
        {"stop_id": str(stop.id), "cause": "brake", "detail": "", "would_cut": 200, "of_active": 500}
    ]
    cycle_run()
    assert (CutStop.objects.count(), events("subscription_suspended")) == (1, [])


def test_without_the_brake_they_would_all_be_cut(tenant: Any) -> None:
    policy_set(changes={"brake_share_percent": 100}, actor=factories.ACTOR)
    many(500, due=200)
    cycle_run()
    assert states() == {"active": 300, "suspended": 200}


@pytest.mark.parametrize(("count", "due"), [(20, 3), (20, 10), (500, 125)])
def test_few_or_a_small_share_go_through(tenant: Any, count: int, due: int) -> None:
    many(count, due=due)
    cycle_run()
    assert states() == {"active": count - due, "suspended": due}


def test_cuts_that_trickle_in_within_an_hour_brake_too(tenant: Any, travel: Any) -> None:
    rows = many(100, due=0)
    now = clock.now()
    for number, row in enumerate(rows[:60]):
        row.expires_at = row.next_change_at = now + timedelta(seconds=30 * number)
    Subscription.objects.bulk_update(rows, ["expires_at", "next_change_at"])
    for _ in range(60):
        travel(seconds=30)
        cycle_run()
    assert states()["suspended"] == 25


def test_a_person_lets_it_go_on_and_it_is_written_down(tenant: Any) -> None:
    many(500, due=200)
    cycle_run()
    cuts_release(stop_id=CutStop.objects.get().id, actor="user:1")
    cycle_run()
    assert states() == {"active": 300, "suspended": 200}
    assert AuditEntry.objects.get(verb="cuts.release").actor == "user:1"
    with pytest.raises(Conflict):
        cuts_release(stop_id=CutStop.objects.get().id, actor="user:1")
    with pytest.raises(NotFound):
        cuts_release(stop_id=uuid7(), actor="user:1")


def test_what_falls_due_after_the_word_is_weighed_anew(tenant: Any, travel: Any) -> None:
    rows = many(500, due=200)
    cycle_run()
    cuts_release(stop_id=CutStop.objects.get().id, actor="user:1")
    cycle_run()
    ids = [row.id for row in rows[300:]]
    Subscription.objects.filter(id__in=ids).update(expires_at=clock.now() + timedelta(minutes=5))
    Subscription.objects.filter(id__in=ids).update(next_change_at=clock.now() + timedelta(minutes=5))
    travel(minutes=6)
    cycle_run()
    assert CutStop.objects.filter(released_at=None).count() == 1
    assert states() == {"active": 100, "grace": 200, "suspended": 200}


def test_while_it_is_stopped_the_wallet_still_renews_and_payers_come_back(tenant: Any, travel: Any) -> None:
    rows = many(40, due=40)
    cycle_run()
    booked(rows[0], "1500", None, "A")
    assert states() == {"active": 1, "grace": 39}


# --- quiet hours, a person's word ----------------------------------------------------------------------------------


def test_nobody_is_cut_on_a_quiet_day(tenant: Any, travel: Any) -> None:
    subscription = month()
    assert subscription.expires_at is not None
    day = subscription.expires_at.astimezone(tenant.zone_info).weekday()
    policy_set(changes={"quiet_weekdays": [day]}, actor=factories.ACTOR)
    travel(days=30, seconds=1)
    cycle_run()
    assert fresh(subscription).state == State.GRACE
    travel(days=1)
    cycle_run()
    assert fresh(subscription).state == State.SUSPENDED


@pytest.mark.parametrize(
    "changes",
    [
        {"quiet_weekdays": [0, 1, 2, 3, 4, 5, 6]}, {"quiet_weekdays": [7]}, {"quiet_weekdays": "0"},
        {"quiet_from_hour": 24}, {"brake_share_percent": 101}, {"suspension_mode": "shout"}, {"nonsense": 1},
        {"remind_days": [0]}, {"remind_days": [3, 3]}, {"grace_hours": True}, {"tax_percent": Decimal(100)},
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(tenant: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        policy_set(changes=changes, actor=factories.ACTOR)
    assert policy_current() == BillingPolicy.objects.get()


def test_a_hold_keeps_one_customer_online(tenant: Any, travel: Any) -> None:
    held, other = month(), month()
    until = clock.now() + timedelta(days=35)
    customer_hold(customer_id=held.customer_id, until=until, reason="pays on the 5th", actor="user:1")
    travel(days=31)
    cycle_run()
    assert (fresh(held).state, fresh(other).state) == (State.GRACE, State.SUSPENDED)
    travel(days=4, minutes=1)
    cycle_run()
    assert fresh(held).state == State.SUSPENDED
    entry = AuditEntry.objects.get(verb="customer.hold")
    assert (entry.actor, entry.reason) == ("user:1", "pays on the 5th")


def test_a_hold_gives_back_what_was_cut_until_it_ends(tenant: Any, travel: Any) -> None:
    subscription = month()
    travel(days=31)
    cycle_run()
    until = clock.now() + timedelta(days=2)
    customer_hold(customer_id=subscription.customer_id, until=until, reason="promised", actor="user:1")
    assert (fresh(subscription).state, entitlement_now(fresh(subscription)).level) == (State.GRACE, Level.FULL)
    assert len(events("subscription_changed")) == 3  # paid, cut, given back
    travel(days=2, seconds=1)
    cycle_run()
    assert fresh(subscription).state == State.SUSPENDED


def test_a_hold_gives_nothing_to_who_never_paid(tenant: Any) -> None:
    subscription = factories.subscription_make()
    until = clock.now() + timedelta(days=2)
    customer_hold(customer_id=subscription.customer_id, until=until, reason="x", actor="user:1")
    assert (fresh(subscription).state, entitlement_now(fresh(subscription)).level) == (State.PENDING, Level.WALLED)


def test_a_hold_can_be_ended_at_once(tenant: Any, travel: Any) -> None:
    held = month()
    until = clock.now() + timedelta(days=60)
    customer_hold(customer_id=held.customer_id, until=until, reason="x", actor="user:1")
    travel(days=31)
    cycle_run()
    customer_hold(customer_id=held.customer_id, until=None, reason="", actor="user:1")
    cycle_run()
    assert fresh(held).state == State.SUSPENDED


@pytest.mark.parametrize("days", [-1, 0, 91])
def test_a_hold_has_an_end_in_sight(tenant: Any, days: int) -> None:
    until = clock.now() + timedelta(days=days)
    with pytest.raises(DomainError):
        customer_hold(customer_id=month().customer_id, until=until, reason="x", actor="user:1")
