"""Money under races: first the race is shown, then that the real code does not lose it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from billing.models import Invoice, LedgerEntry, Receipt
from billing.selectors import wallet_of
from billing.services import receipt_record, recharge_start
from billing.services.ledger import ledger_check
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.models import Event
from ispbilling.kernel.money import Money
from payments.models import Payment, PaymentAttempt
from payments.providers.base import Outcome, Result
from payments.services import payment_settle
from tests import factories
from tests.billing.test_receipts import told

CALLBACKS = 20


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run ``work`` in threads that start at one barrier; the results, or the errors."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001  the test looks at it
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def inside(tenant_id: UUID, work: Callable[[], Any]) -> Callable[[int], Any]:
    def run(_number: int) -> Any:
        with tenancy.tenant_context(tenant_id), transaction.atomic():
            return work()

    return run


class Place:
    """A customer with a recharge that waits, and a payment under way for it."""

    def __init__(self) -> None:
        self.tenant = factories.tenant_make()
        with tenancy.tenant_context(self.tenant.id), transaction.atomic():
            self.subscription = factories.subscription_make()
            self.recharge = recharge_start(subscription_id=self.subscription.id, periods=1, actor=factories.ACTOR)
            self.account = factories.account_make()
            self.payment = self.payment_make("p")
            self.attempt = PaymentAttempt.objects.create(
                payment=self.payment, account=self.account, reference="PABCDEFGHJKM", started_at=clock.machine_now()
            )

    def payment_make(self, key: str) -> Payment:
        made: Payment = Payment.objects.create(
            account=self.account,
            customer_id=self.subscription.customer_id,
            amount=1500,
            currency="KES",
            purpose="recharge",
            purpose_id=self.recharge.id,
            idempotency_key=key,
            receipt_family="mpesa",
            state=Payment.State.PENDING,
            created_at=clock.now(),
            started_at=clock.machine_now(),
        )
        return made

    def look(self, work: Callable[[], Any]) -> Any:
        return inside(self.tenant.id, work)(0)


@pytest.fixture
def place(committed: None) -> Place:
    return Place()


PAID = Result(Outcome.SUCCEEDED, receipt="TAF0000001", amount=Money(Decimal(1500), "KES"))


def test_without_the_row_lock_several_callbacks_would_each_believe_to_be_the_first(place: Place) -> None:
    """The race itself: looking before acting, with no lock, lets more than one through."""
    looked = threading.Barrier(CALLBACKS)

    def naive() -> str:
        state = Payment.objects.get(id=place.payment.id).state
        looked.wait()
        return "settled" if state == Payment.State.PENDING else "repeated"

    assert at_once(CALLBACKS, inside(place.tenant.id, naive)).count("settled") == CALLBACKS


def test_of_twenty_callbacks_at_once_one_settles(place: Place) -> None:
    settle = lambda: payment_settle(payment_id=place.payment.id, attempt_id=place.attempt.id, result=PAID)  # noqa: E731
    done = at_once(CALLBACKS, inside(place.tenant.id, settle))
    assert sorted(done) == ["repeated"] * (CALLBACKS - 1) + ["settled"]
    assert place.look(lambda: Event.objects.filter(name="payments.succeeded").count()) == 1


def test_of_twenty_bookings_at_once_one_is_entered(place: Place) -> None:
    given = place.look(lambda: told(place.payment, place.recharge, "1500", "TAF0000001"))
    receipts = at_once(CALLBACKS, inside(place.tenant.id, lambda: receipt_record(**given).id))
    assert [one for one in receipts if isinstance(one, Exception)] == []
    assert len(set(receipts)) == 1
    counts = place.look(lambda: (Receipt.objects.count(), Invoice.objects.count(), LedgerEntry.objects.count()))
    assert counts == (1, 1, 3)
    assert place.look(ledger_check) == []


def test_two_payments_of_one_customer_at_one_instant_are_both_booked(place: Place) -> None:
    """One buys the period, the other stays in the wallet; nobody waits in a circle."""
    payments = [place.look(lambda key=key: place.payment_make(key)) for key in ("a", "b", "c", "d")]
    given = [place.look(lambda row=row: told(row, place.recharge, "1500", f"R{row.id}")) for row in payments]

    def book(number: int) -> Any:
        with tenancy.tenant_context(place.tenant.id), transaction.atomic():
            return receipt_record(**given[number])

    done = at_once(4, book)
    assert [one for one in done if isinstance(one, Exception)] == []
    assert place.look(lambda: Invoice.objects.all().count()) == 1
    assert place.look(lambda: wallet_of(place.subscription.customer_id, "KES")) == Money(Decimal(4500), "KES")
    assert place.look(ledger_check) == []


def test_invoices_issued_at_once_have_no_gap_and_no_double(committed: None) -> None:
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        subscriptions = [factories.subscription_make() for _ in range(12)]
        account = factories.account_make()
        given = []
        for number, subscription in enumerate(subscriptions):
            recharge = recharge_start(subscription_id=subscription.id, periods=1, actor=factories.ACTOR)
            payment = Payment.objects.create(
                account=account,
                customer_id=subscription.customer_id,
                amount=1500,
                currency="KES",
                idempotency_key=str(number),
                receipt_family="cash",
                created_at=clock.now(),
                started_at=clock.machine_now(),
            )
            given.append(told(payment, recharge, "1500", f"R{number}"))

    def book(number: int) -> Any:
        with tenancy.tenant_context(tenant.id), transaction.atomic():
            receipt_record(**given[number])
            if number % 3 == 0:
                transaction.set_rollback(True)  # a number taken by a transaction that fails is given back

    done = at_once(12, book)
    assert [one for one in done if isinstance(one, Exception)] == []
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        endings = sorted(int(number[-6:]) for number in Invoice.objects.values_list("number", flat=True))
    assert endings == list(range(1, 9))


def test_the_same_receipt_for_two_payments_is_booked_once_and_noticed(place: Place) -> None:
    other = place.look(lambda: place.payment_make("other"))
    first = place.look(lambda: payment_settle(payment_id=place.payment.id, attempt_id=place.attempt.id, result=PAID))
    second = place.look(lambda: payment_settle(payment_id=other.id, attempt_id=place.attempt.id, result=PAID))
    assert (first, second) == ("settled", "receipt_conflict")
