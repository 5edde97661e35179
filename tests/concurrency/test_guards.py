"""Each guard, by what happens without it: first the fault is shown, then that the guard keeps it away.

Taken away are keys of the test's own database, or the guarded step is done by a copy that lacks it; the product's code
is never changed. The payment's row lock and the brake of cuts are shown in ``test_money_races`` and ``test_cycle``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from billing.models import AccountKind, AccountName, Invoice, LedgerAccount, LedgerBalance, Receipt, Recharge
from billing.services import ledger_check, receipt_record
from billing.services.ledger import post, posting
from ispbilling.kernel import clock, events, outbox, tenancy
from ispbilling.kernel.models import Event
from ispbilling.kernel.money import Money
from payments.models import Payment
from payments.services import payment_settle, payment_start
from simulators.daraja import Daraja
from simulators.daraja.till import Shop
from sms.models import Message
from sms.services import message_send
from tests import factories
from tests.billing.test_receipts import told
from tests.concurrency.guards import without_unique
from tests.concurrency.test_money_races import PAID, Place, at_once, inside

TOGETHER = 8


@pytest.fixture
def place(committed: None) -> Place:
    return Place()


def errors(done: list[Any]) -> list[Exception]:
    return [one for one in done if isinstance(one, Exception)]


# --- the receipt's keys ---------------------------------------------------------------------------------------


def receipts_booked_at_once(place: Place) -> int:
    given = place.look(lambda: told(place.payment, place.recharge, "1500", "TAF0000001"))
    assert errors(at_once(TOGETHER, inside(place.tenant.id, lambda: receipt_record(**given)))) == []
    return int(place.look(Receipt.objects.count))


def test_without_the_receipts_keys_one_payment_is_booked_again_and_again(place: Place) -> None:
    with without_unique("billing_receipt", "receipt_payment", "receipt_number"):
        assert receipts_booked_at_once(place) == TOGETHER


def test_with_the_receipts_keys_one_payment_is_booked_once(place: Place) -> None:
    assert receipts_booked_at_once(place) == 1


# --- the payment's receipt number -----------------------------------------------------------------------------


def same_receipt_twice(place: Place) -> tuple[str, str]:
    other = place.look(lambda: place.payment_make("other"))
    ids = [place.payment.id, other.id]
    first, second = (
        place.look(lambda one=one: payment_settle(payment_id=one, attempt_id=place.attempt.id, result=PAID))
        for one in ids
    )
    return first, second


def test_without_the_key_of_its_number_one_receipt_settles_two_payments(place: Place) -> None:
    with without_unique("payments_payment", "payment_receipt"):
        assert same_receipt_twice(place) == ("settled", "settled")


def test_with_the_key_of_its_number_one_receipt_settles_one_payment(place: Place) -> None:
    assert same_receipt_twice(place) == ("settled", "receipt_conflict")


# --- the order that money completes ---------------------------------------------------------------------------


def test_without_the_recharges_lock_several_payments_would_each_complete_it(place: Place) -> None:
    looked = threading.Barrier(TOGETHER)

    def naive() -> bool:
        state = Recharge.objects.get(id=place.recharge.id).state
        looked.wait()
        return bool(state == Recharge.State.PENDING)

    assert at_once(TOGETHER, inside(place.tenant.id, naive)) == [True] * TOGETHER


def test_with_the_recharges_lock_one_of_several_payments_completes_it(place: Place) -> None:
    payments = [place.look(lambda key=str(n): place.payment_make(key)) for n in range(TOGETHER)]
    given = [place.look(lambda row=row: told(row, place.recharge, "1500", f"R{row.id}")) for row in payments]

    def book(number: int) -> Any:
        with tenancy.tenant_context(place.tenant.id), transaction.atomic():
            return receipt_record(**given[number])

    assert errors(at_once(TOGETHER, book)) == []
    assert place.look(Receipt.objects.count) == TOGETHER
    assert place.look(Invoice.objects.count) == 1


# --- the intention's key and lock -----------------------------------------------------------------------------


@pytest.fixture
def gateway() -> Iterator[Daraja]:
    shop = Shop(passkey="testpasskey0000", consumer_key="key", consumer_secret="PLANTED-9f2c")
    made = Daraja(shops=[shop])
    made.behaviours[None] = ("hold", 0)
    made.start()
    yield made
    made.stop()


def test_without_its_lock_a_double_tap_would_begin_two_payments(place: Place) -> None:
    looked = threading.Barrier(2)

    def naive() -> bool:
        found = Payment.objects.filter(purpose_id=place.recharge.id, amount=99).first()
        looked.wait()
        return found is None

    assert at_once(2, inside(place.tenant.id, naive)) == [True, True]


def test_with_its_lock_a_double_tap_begins_one_payment(place: Place, gateway: Daraja) -> None:
    account = place.look(lambda: factories.account_make("mpesa", base_url=gateway.url))

    def tap(number: int) -> UUID:
        with tenancy.tenant_context(place.tenant.id):
            payment = payment_start(
                account_id=account.id,
                customer_id=place.subscription.customer_id,
                amount=Money(Decimal(1500), "KES"),
                purpose="recharge",
                purpose_id=place.recharge.id,
                phone="+254712345678",
                idempotency_key=f"tap-{number}",
                description="Internet",
                actor=factories.ACTOR,
            )
            found: UUID = payment.id
            return found

    assert len(set(at_once(TOGETHER, tap))) == 1
    assert len(gateway.pushes) == 1


# --- an event's handlers --------------------------------------------------------------------------------------


@events.event("test.guarded")
class Guarded:
    """For the test of handlers."""

    number: int


handled: list[str] = []


@events.handler(Guarded)
def a_first(_event: Guarded) -> None:
    handled.append("first")


@events.handler(Guarded)
def b_second(_event: Guarded) -> None:
    """Fails the first time."""
    handled.append("second")
    if handled.count("second") == 1:
        raise ValueError("once")


def drained_twice(place: Place) -> list[str]:
    handled.clear()
    place.look(lambda: events.emit(Guarded(number=1), key="guarded"))
    outbox.drain_key(place.tenant.id, "guarded")
    place.look(lambda: Event.objects.filter(key="guarded").update(not_before=clock.machine_now()))
    outbox.drain_key(place.tenant.id, "guarded")
    assert place.look(lambda: Event.objects.get(key="guarded").state) == Event.State.DONE
    return handled


def test_without_the_receipt_row_a_handler_runs_again_when_another_failed(place: Place) -> None:
    with without_unique("kernel_receipt", "receipt_once"):
        assert drained_twice(place) == ["first", "second", "first", "second"]


def test_with_the_receipt_row_a_handler_that_ran_does_not_run_again(place: Place) -> None:
    assert drained_twice(place) == ["first", "second", "second"]


# --- balances and numbers -------------------------------------------------------------------------------------


def test_without_adding_in_place_balances_lose_what_came_at_the_same_time(place: Place) -> None:
    entry(place, "first")
    read = threading.Barrier(TOGETHER)

    def naive(number: int) -> None:
        with tenancy.tenant_context(place.tenant.id), transaction.atomic():
            account = LedgerAccount.objects.get(kind=AccountKind.REVENUE)
            before = LedgerBalance.objects.get(account=account).amount
            read.wait()
            LedgerBalance.objects.filter(account=account).update(amount=before - 100)

    at_once(TOGETHER, naive)
    found = place.look(lambda: LedgerBalance.objects.get(account__kind=AccountKind.REVENUE).amount)
    assert found == Decimal(-200)  # nine times a hundred came
    assert place.look(ledger_check) != []


def test_with_adding_in_place_balances_lose_nothing(place: Place) -> None:
    entry(place, "first")
    assert errors(at_once(TOGETHER, lambda number: entry(place, f"more-{number}"))) == []
    found = place.look(lambda: LedgerBalance.objects.get(account__kind=AccountKind.REVENUE).amount)
    assert found == Decimal(-100) * (TOGETHER + 1)
    assert place.look(ledger_check) == []


def entry(place: Place, key: str) -> None:
    with tenancy.tenant_context(place.tenant.id), transaction.atomic():
        made = posting(
            key=key,
            kind="test",
            customer_id=None,
            at=clock.now(),
            memo="",
            debit=AccountName(AccountKind.SUSPENSE),
            credit=[(AccountName(AccountKind.REVENUE), Money(Decimal(100), "KES"))],
        )
        post([made])


def test_without_the_counters_lock_two_invoices_would_take_the_same_number(place: Place) -> None:
    read = threading.Barrier(2)

    def naive() -> int:
        last = Invoice.objects.count()  # what a counter without its lock would say
        read.wait()
        return last + 1

    assert at_once(2, inside(place.tenant.id, naive)) == [1, 1]


# --- messages -------------------------------------------------------------------------------------------------


def queued_at_once(place: Place) -> int:
    seen = threading.Barrier(TOGETHER)

    def queue() -> None:
        Message.objects.count()
        seen.wait()
        message_send(code="portal_code", key="k", to="+254712345678", values={"code": "123456"})

    assert errors(at_once(TOGETHER, inside(place.tenant.id, queue))) == []
    return int(place.look(Message.objects.count))


def test_without_its_key_the_same_cause_is_told_several_times(place: Place) -> None:
    with without_unique("sms_message", "message_once"):
        assert queued_at_once(place) > 1


def test_with_its_key_the_same_cause_is_told_once(place: Place) -> None:
    assert queued_at_once(place) == 1
