"""Money comes in once, buys what it was for, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from billing.figures import taken_between, takings
from billing.models import Invoice, LedgerLeg, Receipt, Recharge, Subscription
from billing.selectors import revenue, wallet_of
from billing.services import (
    receipt_assign,
    receipt_record,
    receipt_return,
    recharge_start,
    subscriptions_go_on,
    subscriptions_stop,
)
from billing.services.ledger import ledger_check
from ispbilling.kernel import clock
from ispbilling.kernel.errors import Conflict
from ispbilling.kernel.models import Event
from payments.models import Payment
from tests import factories
from tests.billing.test_suspense import nobodys


def paid(subscription: Subscription, amount: str, *, periods: int = 1, number: str = "TAF0000001") -> Receipt:
    """Money for a recharge of ``periods``, as payments would tell of it."""
    recharge = recharge_start(subscription_id=subscription.id, periods=periods, actor=factories.ACTOR)
    return booked(subscription, amount, recharge, number)


def booked(subscription: Subscription, amount: str, recharge: Recharge | None, number: str) -> Receipt:
    account = factories.account_make()
    payment = Payment.objects.create(
        account=account,
        customer_id=subscription.customer_id,
        amount=Decimal(amount),
        currency="KES",
        idempotency_key=str(uuid4()),
        receipt_family="cash",
        created_at=clock.now(),
        started_at=clock.machine_now(),
    )
    return receipt_record(**told(payment, recharge, amount, number))


def told(payment: Payment, recharge: Recharge | None, amount: str, number: str) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "customer_id": payment.customer_id,
        "account_id": payment.account_id,
        "amount": Decimal(amount),
        "currency": "KES",
        "family": "cash",
        "number": number,
        "method": "cash",
        "purpose": "recharge" if recharge else "",
        "purpose_id": recharge.id if recharge else None,
        "received_at": clock.now(),
    }


def test_the_full_price_buys_the_period(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "1500")
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    assert subscription.periods == 1
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal("0")


def test_the_invoice_has_the_first_number_and_is_paid(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "1500")
    invoice = Invoice.objects.get()
    assert invoice.number == f"{clock.now().astimezone(tenant.zone_info).year}-000001"
    assert (invoice.state, invoice.total) == (Invoice.State.PAID, Decimal("1500.000"))


def test_numbers_have_no_gap(tenant: Any) -> None:
    for number in range(3):
        paid(factories.subscription_make(), "1500", number=f"R{number}")
    endings = sorted(number[-6:] for number in Invoice.objects.values_list("number", flat=True))
    assert endings == ["000001", "000002", "000003"]


def test_one_shilling_on_a_bill_of_1500_is_a_receipt_of_one_shilling(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "1")
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.PENDING
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal("1.00")


def test_the_rest_completes_what_was_underpaid(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "1000", number="A")
    paid(subscription, "500", number="B")
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    assert Invoice.objects.count() == 1


def test_what_is_over_stays_in_the_wallet(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "2000")
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal("500.00")


def test_three_months_cost_five_per_cent_less(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "4275", periods=3)
    subscription.refresh_from_db()
    assert subscription.periods == 3
    assert Invoice.objects.get().total == Decimal("4275.000")


def test_the_same_payment_books_once(tenant: Any) -> None:
    subscription = factories.subscription_make()
    receipt = paid(subscription, "1500")
    recharge = Recharge.objects.get()
    again = receipt_record(**told(Payment.objects.get(), recharge, "1500", "TAF0000001"))
    assert again.id == receipt.id
    assert LedgerLeg.objects.filter(entry__kind="receipt").count() == 2


def test_a_number_that_is_booked_for_another_payment_is_not_booked_again(tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "1500", number="SAME")
    with pytest.raises(Conflict), transaction.atomic():
        booked(subscription, "1500", None, "SAME")
    assert (Receipt.objects.count(), ledger_check()) == (1, [])


def test_the_book_balances(tenant: Any) -> None:
    paid(factories.subscription_make(), "1777")
    assert ledger_check() == []


def test_paying_again_before_the_end_counts_on_from_the_same_anchor(tenant: Any, travel: Any) -> None:
    subscription = factories.subscription_make(package=factories.package_make(period_unit="day", period_count=30))
    paid(subscription, "1500", number="A")
    subscription.refresh_from_db()
    first = subscription.expires_at
    travel(days=10)
    paid(subscription, "1500", number="B")
    subscription.refresh_from_db()
    assert first is not None
    assert subscription.expires_at == first + timedelta(days=30)


def test_paying_after_the_end_begins_anew(tenant: Any, travel: Any) -> None:
    subscription = factories.subscription_make(package=factories.package_make(period_unit="hour", period_count=1))
    paid(subscription, "1500", number="A")
    travel(hours=5)
    paid(subscription, "1500", number="B")
    subscription.refresh_from_db()
    assert subscription.expires_at == subscription.anchor_at + timedelta(hours=1)
    assert subscription.periods == 1


def test_money_nobody_claims_lies_in_suspense_until_it_is_assigned(tenant: Any) -> None:
    customer = factories.customer_make()
    account = factories.account_make()
    payment = Payment.objects.create(
        account=account,
        amount=Decimal("700"),
        currency="KES",
        idempotency_key="x",
        receipt_family="cash",
        created_at=clock.now(),
        started_at=clock.machine_now(),
    )
    receipt = receipt_record(**told(payment, None, "700", "S1"))
    receipt_assign(receipt_id=receipt.id, customer_id=customer.id, actor=factories.ACTOR)
    assert wallet_of(customer.id, "KES").amount == Decimal("700.00")
    with pytest.raises(Conflict):
        receipt_assign(receipt_id=receipt.id, customer_id=customer.id, actor=factories.ACTOR)


def test_money_for_nothing_in_particular_brings_back_who_was_cut(tenant: Any, travel: Any) -> None:
    """A transfer to the paybill, cash at the counter: nobody had pressed a button in the portal before."""
    subscription = factories.subscription_make(package=factories.package_make(period_unit="day", period_count=30))
    paid(subscription, "1500", number="A")
    travel(days=31)
    Subscription.objects.update(state=Subscription.State.SUSPENDED, next_change_at=None)
    booked(subscription, "1700", None, "B")
    subscription.refresh_from_db()
    assert (subscription.state, Invoice.objects.count()) == (Subscription.State.ACTIVE, 2)
    assert subscription.expires_at == subscription.extended_at + timedelta(days=30)
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal("200.00")
    assert ledger_check() == []


def test_too_little_for_a_period_brings_nobody_back(tenant: Any) -> None:
    subscription = factories.subscription_make()
    booked(subscription, "1499", None, "A")
    subscription.refresh_from_db()
    assert (subscription.state, Invoice.objects.count()) == (Subscription.State.PENDING, 0)


def test_a_subscription_that_is_not_renewed_by_itself_waits_for_an_order(tenant: Any) -> None:
    subscription = factories.subscription_make()
    Subscription.objects.update(is_auto_renewed=False)
    booked(subscription, "1500", None, "A")
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.PENDING


def test_two_subscriptions_are_brought_back_as_far_as_the_money_reaches(tenant: Any) -> None:
    customer = factories.customer_make()
    rows = [factories.subscription_make(customer=customer) for _ in range(3)]
    booked(rows[0], "3100", None, "A")
    states = list(Subscription.objects.order_by("id").values_list("state", flat=True))
    assert states == ["active", "active", "pending"]
    told_of = Event.objects.get(name="billing.receipt_booked").payload
    assert (told_of["wallet"], len(told_of["invoice_number"].split(", "))) == ("100.00", 2)


def test_what_is_assigned_from_suspense_brings_its_owner_back(tenant: Any) -> None:
    subscription = factories.subscription_make()
    payment = Payment.objects.create(
        account=factories.account_make(), amount=Decimal("1500"), currency="KES", idempotency_key="x",
        receipt_family="cash", created_at=clock.now(), started_at=clock.machine_now(),
    )  # fmt: skip
    receipt = receipt_record(**told(payment, None, "1500", "S1"))
    receipt_assign(receipt_id=receipt.id, customer_id=subscription.customer_id, actor=factories.ACTOR)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    assert ledger_check() == []


@pytest.mark.parametrize("typed", ["0712345678", "254712345678", "+254 712 345 678"])
def test_a_telephone_typed_as_account_finds_its_owner(tenant: Any, typed: str) -> None:
    from billing.selectors import customer_claiming

    customer = factories.customer_make(phones=["0712345678"])
    assert customer_claiming(typed, "+254799999999") == customer.id
    factories.customer_make(phones=["0712345678"])
    assert customer_claiming(typed, "") is None


def test_the_network_is_told_before_the_customer(tenant: Any) -> None:
    paid(factories.subscription_make(), "1500")
    names = list(Event.objects.order_by("seq").values_list("name", flat=True))
    assert names == ["billing.subscription_changed", "billing.receipt_booked"]


def test_money_does_not_buy_time_of_a_line_that_staff_stopped(tenant: Any, travel: Any) -> None:
    """It would run while the line is blocked. It waits in the wallet, and brings the line back when it may go on."""
    subscription = factories.subscription_make()
    subscriptions_stop(customer_id=subscription.customer_id, actor=factories.ACTOR)
    booked(subscription, "1500", None, "R1")
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal(1500)
    travel(days=3)
    subscriptions_go_on(customer_id=subscription.customer_id, actor=factories.ACTOR)
    subscription.refresh_from_db()
    assert (subscription.state, subscription.stopped_at) == (Subscription.State.ACTIVE, None)
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal(0)
    assert subscription.expires_at > clock.now() + timedelta(days=27)


def test_an_order_for_a_line_that_was_stopped_meanwhile_keeps_the_money(tenant: Any) -> None:
    subscription = factories.subscription_make()
    order = recharge_start(subscription_id=subscription.id, periods=1, actor=factories.ACTOR)
    subscriptions_stop(customer_id=subscription.customer_id, actor=factories.ACTOR)
    booked(subscription, "1500", order, "R1")
    assert wallet_of(subscription.customer_id, "KES").amount == Decimal(1500)
    with pytest.raises(Conflict) as refused:
        recharge_start(subscription_id=subscription.id, periods=1, actor=factories.ACTOR)
    assert refused.value.code == "subscription.stopped"


def test_money_that_was_given_back_did_not_come_in(tenant: Any) -> None:
    begin = clock.now() - timedelta(hours=1)
    receipts = [nobodys(amount) for amount in ("700", "50")]
    receipt_return(receipt_id=receipts[0].id, note="on the portal", actor=factories.ACTOR)
    span = {"begin": begin, "end": clock.now() + timedelta(hours=1), "currency": "KES"}
    assert taken_between(**span).amount == Decimal(50)
    assert [one.amount.amount for one in revenue(**span, zone=tenant.zone_info).by_day] == [Decimal(50)]
    assert [one.amount.amount for one in takings(begin=begin, currency="KES", zone=tenant.zone_info)] == [Decimal(50)]
