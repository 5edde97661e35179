"""What routers were seen to obey, and the answers read from it, with RouterOS at the other end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.entitlement import Level
from billing.models import CutStop, Receipt, Subscription
from billing.services import customer_hold, policy_set
from ispbilling.kernel import clock, outbox
from ispbilling.kernel.models import Event
from network.models import Acknowledgement, Line, Router, Session
from network.proof import customer_timeline, customer_why
from network.timeline import Kind, Timeline, paged
from network.why import Code
from tests import factories
from tests.network.conformance import until
from tests.network.place import Place

pytestmark = pytest.mark.usefixtures("committed")


def proofs(place: Place) -> list[tuple[int, str]]:
    with place.inside():
        return list(Acknowledgement.objects.order_by("generation").values_list("generation", "level"))


def why(place: Place) -> Code:
    with place.inside():
        return customer_why(place.line.customer_id).answer.code


def timeline(place: Place) -> Timeline:
    with place.inside():
        return customer_timeline(place.line.customer_id)


def online(place: Place) -> None:
    """Until the router's session of full speed has been read."""

    def seen() -> bool:
        place.converge()
        with place.inside():
            return any(row["address_lists"] == [] for row in place.far.truth()) and why(place) is Code.ONLINE

    until(seen)


def test_a_wish_seen_to_hold_is_kept_once_with_its_instants(place: Place) -> None:
    place.converge()
    place.pay()
    place.converge()
    place.converge()
    assert proofs(place) == [(1, "walled"), (2, "full")]
    with place.inside():
        proof, line = Acknowledgement.objects.get(generation=2), Line.objects.get()
    assert (proof.wished_at, proof.seen_at, proof.reason) == (line.wished_at, line.applied_at, "paid")
    assert proof.wished_at is not None
    assert proof.wished_at <= proof.seen_at


def test_a_wish_the_router_did_not_take_is_not_kept(place: Place) -> None:
    place.far.by_hand("/ppp/secret/add", "=name=jane", "=password=theirs")
    place.converge()
    assert proofs(place) == []


def test_a_correction_of_what_was_proven_is_no_new_proof(place: Place) -> None:
    place.pay()
    place.converge()
    place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=disabled=yes")
    place.converge()
    assert proofs(place) == [(2, "full")]


def test_proofs_of_many_lines_are_one_statement(place: Place) -> None:
    with place.inside():
        package = factories.package_make()
        for number in range(30):
            factories.line_make(router=place.router, package=package, username=f"u{number}", password="pw")
    with CaptureQueriesContext(connection) as captured:
        place.converge()
    written = [one for one in captured if 'INSERT INTO "network_acknowledgement"' in one["sql"]]
    assert (len(written), len(proofs(place))) == (1, 31)


@pytest.mark.parametrize("change", ["UPDATE {} SET level = 'full'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_a_proof(place: Place, change: str) -> None:
    place.converge()
    with place.inside(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format("network_acknowledgement"))
    assert proofs(place) == [(1, "walled")]


def test_a_payment_is_followed_from_the_gateway_to_the_session(place: Place) -> None:
    place.converge()
    place.pay()
    online(place)
    found = timeline(place)
    with place.inside():
        receipt = Receipt.objects.get()
    kinds = [step.kind for step in found.steps if step.chain == receipt.id]
    assert kinds[-6:] == [Kind.ACKNOWLEDGED, Kind.SUBSCRIPTION, Kind.WALLET, Kind.INVOICE, Kind.BOOKED, Kind.RECEIPT]
    chain = found.chains[receipt.id]
    assert chain.online_at is not None
    assert chain.took is not None
    assert timedelta(0) <= chain.took < timedelta(minutes=2)


def test_paying_again_while_online_says_so(place: Place) -> None:
    place.pay("A")
    online(place)
    place.pay("B")
    place.converge()
    with place.inside():
        receipt = Receipt.objects.get(number="B")
    chain = timeline(place).chains[receipt.id]
    assert (chain.online_at, chain.was_online) == (None, True)


def test_the_story_of_a_cut_and_its_return_is_told_in_order(place: Place) -> None:
    place.pay("A")
    online(place)
    place.let_pass(days=31)
    place.converge()
    assert why(place) is Code.UNPAID
    place.pay("B")
    online(place)
    found = timeline(place)
    verbs = [step.values["verb"] for step in reversed(found.steps) if step.kind is Kind.SUBSCRIPTION]
    levels = [step.values["level"] for step in reversed(found.steps) if step.kind is Kind.ACKNOWLEDGED]
    assert verbs == ["create", "active", "suspended", "active"]
    assert levels == ["full", "walled", "full"]
    assert all(chain.online_at is not None for chain in found.chains.values())


def test_pages_of_a_timeline_are_the_whole_of_it(place: Place) -> None:
    place.converge()
    for number in "ABC":
        place.pay(number)
    online(place)
    with place.inside():
        every = customer_timeline(place.line.customer_id, limit=500)
        seen, before = [], None
        for _ in range(50):
            found = customer_timeline(place.line.customer_id, before=before, limit=4)
            page = paged(found, before=before, limit=4)
            seen += [(step.at, step.kind) for step in page.steps]
            before = page.next_before
            if before is None:
                break
    assert seen == [(step.at, step.kind) for step in every.steps]


# --- Why ------------------------------------------------------------------------------------------------------


def test_off_and_on_again_is_explained_at_every_step(place: Place) -> None:
    place.converge()
    assert why(place) is Code.NEVER_PAID
    place.far.power(False)
    with place.inside():
        from tests.billing.test_receipts import paid

        paid(place.line.subscription, "1500", number="A")
    assert why(place) is Code.ON_ITS_WAY
    place.drain()
    assert place.converge() == "away"
    assert why(place) is Code.ROUTER_RESTING
    with place.inside():
        Router.objects.update(retry_at=None)
    assert why(place) is Code.ROUTER_AWAY
    place.far.power(True)
    online(place)
    place.far.cpe_remove("jane")
    place.converge()
    assert why(place) is Code.NO_SESSION


def test_a_foreign_row_is_told_from_a_refusal_and_from_drift(place: Place) -> None:
    place.far.by_hand("/ppp/secret/add", "=name=jane", "=password=theirs")
    place.pay()
    place.converge()
    assert why(place) is Code.FOREIGN_ROW
    with place.inside():
        Line.objects.update(last_error="failure: no such profile")
    assert why(place) is Code.ROUTER_REFUSES
    place.far.by_hand("/ppp/secret/remove", "=numbers=jane")
    place.converge()
    with place.inside():
        Line.objects.update(last_error="The router was written to and does not show it.")
    assert why(place) is Code.DRIFT


def test_a_line_whose_cut_did_not_reach_its_router_is_still_let_in(place: Place) -> None:
    place.pay()
    place.converge()
    place.far.power(False)
    place.let_pass(days=31)
    place.converge()
    with place.inside():
        answer = customer_why(place.line.customer_id).answer
    assert (answer.code, answer.cause, answer.is_online) == (Code.STILL_LET_IN, Code.ROUTER_RESTING, False)
    place.far.power(True)


def test_whoever_keeps_a_customer_online_is_named(place: Place) -> None:
    place.pay()
    online(place)
    with place.inside():
        member = factories.staff_make(place.tenant, "owner", "asha@example.org")
        until_day = clock.now() + timedelta(days=40)
        customer_hold(
            customer_id=place.line.customer_id, until=until_day, reason="at sea", actor=f"user:{member.user_id}"
        )
    place.let_pass(days=31)
    with place.inside():
        facts = customer_why(place.line.customer_id).answer.facts
    assert why(place) is Code.ONLINE_HELD
    assert facts is not None
    assert (facts.held_by, facts.hold_reason) == ("asha@example.org", "at sea")


def test_a_grace_a_stop_and_quiet_hours_are_told_apart(place: Place) -> None:
    place.pay()
    online(place)
    with place.inside():
        Subscription.objects.update(next_change_at=None)  # no run comes in between
        policy_set(changes={"grace_hours": 24}, actor=factories.ACTOR)
    with transaction.atomic():
        clock.travel(timedelta(days=30, hours=1))
    assert why(place) is Code.ONLINE_GRACE
    with place.inside():
        policy_set(changes={"grace_hours": 0}, actor=factories.ACTOR)
    assert why(place) is Code.ONLINE_DUE
    with place.inside():
        CutStop.objects.create(cause=CutStop.Cause.BRAKE, would_cut=9, of_active=10, opened_at=clock.now())
    assert why(place) is Code.ONLINE_CUTS_STOPPED
    with place.inside():
        days = list(range(6)) if clock.now().astimezone(place.tenant.zone_info).weekday() < 6 else [6]
        policy_set(changes={"quiet_weekdays": days}, actor=factories.ACTOR)
    assert why(place) is Code.ONLINE_QUIET


def test_an_event_that_is_parked_is_named_as_the_cause(place: Place) -> None:
    place.converge()
    with place.inside():
        from tests.billing.test_receipts import paid

        paid(place.line.subscription, "1500", number="A")
        Event.objects.filter(name="billing.subscription_changed").update(state=Event.State.PARKED)
        event = Event.objects.get(state=Event.State.PARKED)
    assert why(place) is Code.EVENT_PARKED
    with place.inside():
        outbox.event_retry(event_id=event.id, actor=factories.ACTOR)
    place.drain()
    online(place)


def test_a_customer_without_a_line_is_told_so(place: Place) -> None:
    with place.inside():
        assert customer_why(factories.customer_make().id).answer.code is Code.NO_LINE


def test_the_answer_and_the_timeline_cost_the_same_for_one_line_and_for_many(place: Place) -> None:
    def cost(read: Any) -> int:
        with place.inside(), CaptureQueriesContext(connection) as captured:
            read(place.line.customer_id)
            return len(captured)

    place.pay("A")
    online(place)
    few = [cost(customer_why), cost(customer_timeline)]
    with place.inside():
        line = Line.objects.get()
        for number in range(20):
            more = Line.objects.create(
                subscription=line.subscription, customer=line.customer, router=line.router, username=f"u{number}",
                password="pw", level=Level.FULL, reason="paid", download_kbps=1, upload_kbps=1,
                wished_at=clock.now(), created_at=clock.now(),
            )  # fmt: skip
            Acknowledgement.of(more, clock.now()).save()
            Session.objects.create(
                line=more, router=line.router, key=str(number), address="10.0.0.1", mac="",
                started_at=clock.machine_now(), seen_at=clock.machine_now(),
            )  # fmt: skip
    for number in "BCDEF":
        place.pay(number)
    assert [cost(customer_why), cost(customer_timeline)] == few
    assert few[0] <= 8
    assert few[1] <= 9
