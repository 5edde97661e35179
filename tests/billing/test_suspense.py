"""Money without an owner, or with the wrong one: attached, taken back, given back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from billing.models import AccountKind, AccountName, Invoice, Receipt, Recharge, Subscription
from billing.selectors import balance, wallet_of
from billing.services import (
    cash_receive,
    effect_of,
    receipt_assign,
    receipt_release,
    receipt_return,
    receipt_return_undo,
    statement_line_book,
)
from billing.services.ledger import ledger_check
from billing.services.receipts import receipt_record
from billing.suspense import Clue, guesses, receipts_in_suspense, waiting
from ispbilling.kernel import clock
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.models import AuditEntry
from ispbilling.kernel.money import Money
from payments.models import Payment, ProviderAccount, StatementLine
from payments.selectors import statement_lines_open
from tests import factories

SUSPENSE = AccountName(AccountKind.SUSPENSE)


def nobodys(amount: str = "1500", typed: str = "", phone: str = "") -> Receipt:
    """Money that came and found nobody."""
    account = ProviderAccount.objects.filter(provider="cash").first() or factories.account_make()
    payment = Payment.objects.create(
        account=account,
        amount=Decimal(amount),
        currency="KES",
        phone=phone,
        payer_text=typed,
        idempotency_key=str(uuid4()),
        receipt_family="cash",
        state=Payment.State.SUCCEEDED,
        created_at=clock.now(),
        started_at=clock.machine_now(),
    )
    return receipt_record(
        payment_id=payment.id,
        customer_id=None,
        account_id=account.id,
        amount=Decimal(amount),
        currency="KES",
        family="cash",
        number=uuid4().hex[:10],
        method="cash",
        purpose="",
        purpose_id=None,
        received_at=clock.now(),
    )


def line(**given: Any) -> StatementLine:
    account = ProviderAccount.objects.filter(provider="mpesa").first() or factories.account_make("mpesa")
    values = {"receipt": "TAF0000001", "amount": Decimal(500), "currency": "KES", "at": clock.now(), **given}
    made: StatementLine = StatementLine.objects.create(
        account=account, receipt_family="mpesa", seen_at=clock.machine_now(), **values
    )
    return made


def assign(receipt: Receipt, subscription: Subscription) -> None:
    receipt_assign(receipt_id=receipt.id, customer_id=subscription.customer_id, actor=factories.ACTOR)


def release(receipt: Receipt) -> Receipt:
    return receipt_release(receipt_id=receipt.id, reason="his neighbour's", actor=factories.ACTOR)


def in_suspense() -> Decimal:
    return -balance(SUSPENSE, "KES").amount


def test_money_that_bought_nothing_is_taken_back_and_can_be_attached_to_another(tenant: Any) -> None:
    first, second = factories.subscription_make(), factories.subscription_make()
    receipt = nobodys("700")
    assign(receipt, first)
    assert release(receipt).customer_id is None
    assert (wallet_of(first.customer_id, "KES").amount, in_suspense()) == (Decimal(0), Decimal(700))
    assign(receipt, second)
    assert (wallet_of(second.customer_id, "KES").amount, in_suspense()) == (Decimal(700), Decimal(0))
    assert Payment.objects.get().customer_id == second.customer_id
    assert ledger_check() == []


def test_what_was_bought_is_taken_back_with_it(tenant: Any) -> None:
    subscription = factories.subscription_make()
    receipt = nobodys("1600")
    assign(receipt, subscription)
    subscription.refresh_from_db()
    began = Invoice.objects.get().lines.get().period_from
    assert subscription.expires_at > clock.now()
    release(receipt)
    subscription.refresh_from_db()
    assert (subscription.expires_at, Invoice.objects.get().state) == (began, Invoice.State.VOID)
    assert subscription.next_change_at <= clock.now()
    assert (wallet_of(subscription.customer_id, "KES").amount, in_suspense()) == (Decimal(0), Decimal(1600))
    assert ledger_check() == []


def test_only_the_purchase_that_needed_it_is_taken_back(tenant: Any) -> None:
    subscription = factories.subscription_make()
    assign(nobodys(), subscription)
    subscription.refresh_from_db()
    first_end = subscription.expires_at
    wrong = nobodys()
    assign(wrong, subscription)
    Subscription.objects.update(state=Subscription.State.SUSPENDED)
    assign(nobodys("10"), subscription)  # brings him back from the wallet, another period
    release(wrong)
    subscription.refresh_from_db()
    assert subscription.expires_at >= first_end
    assert sorted(Invoice.objects.values_list("state", flat=True)) == ["paid", "void"]
    assert ledger_check() == []


def test_time_that_was_changed_since_is_left_to_a_person(tenant: Any) -> None:
    subscription = factories.subscription_make()
    receipt = nobodys()
    assign(receipt, subscription)
    Subscription.objects.update(expires_at=clock.now() + timedelta(days=90))
    with pytest.raises(Conflict) as caught:
        release(receipt)
    assert caught.value.code == "receipt.spent"


def test_money_of_nobody_cannot_be_taken_from_anybody(tenant: Any) -> None:
    with pytest.raises(Conflict):
        release(nobodys())


def test_money_is_given_back_once_and_may_have_been_kept_after_all(tenant: Any) -> None:
    receipt = nobodys("700")
    receipt_return(receipt_id=receipt.id, note="on the portal", actor=factories.ACTOR)
    assert (in_suspense(), list(receipts_in_suspense())) == (Decimal(0), [])
    with pytest.raises(Conflict):
        receipt_return(receipt_id=receipt.id, note="again", actor=factories.ACTOR)
    with pytest.raises(Conflict):
        receipt_assign(receipt_id=receipt.id, customer_id=factories.customer_make().id, actor=factories.ACTOR)
    receipt_return_undo(receipt_id=receipt.id, actor=factories.ACTOR)
    receipt_return(receipt_id=receipt.id, note="now", actor=factories.ACTOR)
    assert Receipt.objects.get().returned_note == "now"
    assert ledger_check() == []


def test_who_gives_money_back_says_how(tenant: Any) -> None:
    with pytest.raises(DomainError, match="how"):
        receipt_return(receipt_id=nobodys().id, note=" ", actor=factories.ACTOR)


def test_each_step_is_written_down(tenant: Any) -> None:
    receipt, subscription = nobodys("700"), factories.subscription_make()
    assign(receipt, subscription)
    release(receipt)
    receipt_return(receipt_id=receipt.id, note="x", actor=factories.ACTOR)
    verbs = AuditEntry.objects.filter(row_id=str(receipt.id)).order_by("at", "id").values_list("verb", flat=True)
    assert list(verbs) == ["receipt.assign", "receipt.release", "receipt.return"]


# --- lines of statements ----------------------------------------------------------------------------------------


def test_a_line_becomes_a_customers_money_and_renews_his_line(tenant: Any) -> None:
    subscription = factories.subscription_make()
    found = line(amount=Decimal(1500), account_text="my net")
    receipt = statement_line_book(line_id=found.id, customer_id=subscription.customer_id, actor=factories.ACTOR)
    subscription.refresh_from_db()
    assert (receipt.number, receipt.customer_id) == ("TAF0000001", subscription.customer_id)
    assert subscription.state == Subscription.State.ACTIVE
    assert list(statement_lines_open()) == []


def test_a_line_of_nobody_is_booked_in_suspense_whatever_was_typed(tenant: Any) -> None:
    customer = factories.customer_make()
    receipt = statement_line_book(line_id=line(account_text=customer.code).id, customer_id=None, actor=factories.ACTOR)
    assert (receipt.customer_id, in_suspense()) == (None, Decimal(500))


def test_a_line_is_booked_once(tenant: Any) -> None:
    customer, other = factories.customer_make(), factories.customer_make()
    found = line()
    for _ in range(2):
        statement_line_book(line_id=found.id, customer_id=customer.id, actor=factories.ACTOR)
    with pytest.raises(Conflict):
        statement_line_book(line_id=found.id, customer_id=other.id, actor=factories.ACTOR)
    assert wallet_of(customer.id, "KES").amount == Decimal(500)


def test_both_kinds_are_counted(tenant: Any) -> None:
    nobodys()
    line()
    assert waiting().count() == 2


# --- guesses ----------------------------------------------------------------------------------------------------


def test_code_telephone_and_amount_are_reasons(tenant: Any) -> None:
    subscription = factories.subscription_make()
    customer = subscription.customer
    phone = customer.phones.first().number
    Recharge.objects.create(
        customer=customer,
        subscription=subscription,
        package=subscription.package,
        periods=1,
        subtotal=Decimal(1500),
        discount_percent=Decimal(0),
        discount=Decimal(0),
        total=Decimal(1500),
        currency="KES",
        created_at=clock.now(),
    )
    factories.customer_make()
    clue = Clue(Money(Decimal(1500), "KES"), f"net {customer.code.lower()}", phone, clock.now())
    [guess] = guesses(clue)
    assert guess.customer == customer
    assert len(guess.reasons) == 3


def test_a_hidden_telephone_is_no_reason(tenant: Any) -> None:
    factories.customer_make()
    assert guesses(Clue(Money(Decimal(1), "KES"), "", "2547 ***** 678", clock.now())) == []


# --- previews ---------------------------------------------------------------------------------------------------


def test_a_preview_tells_what_will_happen_and_leaves_nothing(tenant: Any) -> None:
    factories.account_make()
    subscription = factories.subscription_make()

    def pay() -> Receipt:
        return cash_receive(
            customer_id=subscription.customer_id,
            amount=Decimal(1600),
            description="",
            key="k",
            actor=factories.ACTOR,
        )

    effect = effect_of(customer_id=subscription.customer_id, work=pay)
    [change] = effect.changes
    assert (effect.old_wallet.amount, effect.wallet.amount, change.is_longer) == (Decimal(0), Decimal(100), True)
    assert (
        Receipt.objects.count(),
        Invoice.objects.count(),
        AuditEntry.objects.filter(verb="payment.receive").count(),
    ) == (0, 0, 0)
    pay()
    subscription.refresh_from_db()
    assert subscription.expires_at - change.new_expires_at < timedelta(minutes=5)
