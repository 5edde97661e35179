"""The only entrance of money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from billing.calculations import Quote
from billing.events import ReceiptBooked, SubscriptionChanged, SubscriptionRenewed
from billing.models import AccountKind, AccountName, Receipt, Recharge, Subscription
from billing.selectors import Rules, rules_current, wallet_of
from billing.services.invoices import invoice_issue_paid
from billing.services.ledger import Posting, post, posting
from billing.services.subscriptions import (
    Extension,
    extension,
    extension_from_wallet,
    subscription_carry_on,
)
from customers.services import customer_locked
from ispbilling.kernel import clock, live, tenancy
from ispbilling.kernel.errors import Conflict
from ispbilling.kernel.events import emit_many
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money

RECHARGE = "recharge"  # what payments are told money for a recharge is for


@transaction.atomic(savepoint=False)
def receipt_record(
    *,
    payment_id: UUID,
    customer_id: UUID | None,
    account_id: UUID,
    amount: Decimal,
    currency: str,
    family: str,
    number: str | None,
    method: str,
    purpose: str,
    purpose_id: UUID | None,
    received_at: datetime,
) -> Receipt:
    """Book one settled payment, once: a repeat gives the receipt that is there.

    Money goes into the customer's wallet. If it was for a recharge that still waits and the wallet now covers it, the
    recharge is completed: invoice, allocation, subscription. Money for nothing in particular brings back what the
    customer has running out or cut, as far as the wallet reaches. Money nobody claims goes to suspense. Raises Conflict
    ``receipt.taken`` when the gateway's number is booked for another payment.
    """
    if customer_id is not None:
        customer_locked(customer_id)
    at = clock.now()  # under the lock: what is bought later has a later instant
    money = Money(amount, currency)
    receipt_id = _receipt_insert(
        payment_id, customer_id, family, number, method, money, received_at=received_at, booked_at=at
    )
    if receipt_id is None:
        found: Receipt | None = Receipt.objects.filter(payment_id=payment_id).first()
        if found is None:
            raise Conflict("receipt.taken", f"The receipt {number} is booked for another payment already.")
        return found
    failpoint("billing.receipt.after_receipt_row")
    credit = AccountName(AccountKind.WALLET, customer_id) if customer_id else AccountName(AccountKind.SUSPENSE)
    income = posting(
        key=f"receipt:{receipt_id}",
        kind="receipt",
        customer_id=customer_id,
        at=at,
        memo=number or "",
        debit=AccountName(AccountKind.CLEARING, account_id),
        credit=[(credit, money)],
    )
    live.say("payments")
    if customer_id is None:
        post([income])
        live.say("alerts")
    else:
        recharge = _recharge_locked(purpose_id) if purpose == RECHARGE and purpose_id is not None else None
        money_book(receipt_id, customer_id, money, number, income, recharge, method, at)
    failpoint("billing.receipt.before_commit")
    return Receipt(
        id=receipt_id,
        payment_id=payment_id,
        customer_id=customer_id,
        family=family,
        number=number,
        method=method,
        amount=amount,
        currency=currency,
        received_at=received_at,
        booked_at=at,
    )


def _receipt_insert(
    payment_id: UUID,
    customer_id: UUID | None,
    family: str,
    number: str | None,
    method: str,
    money: Money,
    *,
    received_at: datetime,
    booked_at: datetime,
) -> UUID | None:
    """The new row's id, or None when this payment or receipt number is booked already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_receipt (id, tenant_id, payment_id, customer_id, family, number, method, amount,"
            " currency, received_at, booked_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            # Whichever of the two unique keys is met first: naming one would let the other raise in a race.
            " ON CONFLICT DO NOTHING RETURNING id",
            [
                uuid7(),
                tenancy.tenant_id_required(),
                payment_id,
                customer_id,
                family,
                number,
                method,
                money.amount,
                money.currency,
                received_at,
                booked_at,
            ],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _recharge_locked(recharge_id: UUID) -> Recharge | None:
    """The recharge and its subscription under their locks, with its package."""
    recharge: Recharge | None = (
        Recharge.objects.select_for_update(of=("self", "subscription"), no_key=True)
        .select_related("subscription__package", "subscription__next_package")
        .filter(id=recharge_id)
        .first()
    )
    return recharge


def money_book(
    receipt_id: UUID,
    customer_id: UUID,
    money: Money,
    number: str | None,
    income: Posting,
    recharge: Recharge | None,
    method: str,
    at: datetime,
) -> None:
    """Book money of a known customer whose row is locked, and let it buy what it was for."""
    rules = rules_current()
    wallet = wallet_of(customer_id, money.currency) + money
    bought = _extension_of(recharge, wallet, rules, at) if recharge is not None else None
    extensions = _brought_back(customer_id, wallet, rules, at) if bought is None else [bought]
    post([income, *(entry for done in extensions for entry in (done.draft.issue, done.draft.pay))])
    failpoint("billing.receipt.after_post")
    for done in extensions:
        subscription_carry_on(done, rules=rules, at=at, by="system:receipts")
        wallet -= done.draft.line.total
    if recharge is not None and bought is not None:
        recharge.state, recharge.method, recharge.completed_at = Recharge.State.COMPLETED, method, at
        recharge.old_expires_at, recharge.new_expires_at = bought.old_expires_at, bought.expires_at
        recharge.save(update_fields=["state", "method", "completed_at", "old_expires_at", "new_expires_at"])
    failpoint("billing.receipt.after_subscription")
    today = rules.local_date(at)
    numbers = [invoice_issue_paid(done.draft, year=today.year, due_on=today.isoformat()) for done in extensions]
    _tell(receipt_id, customer_id, money, number, numbers, extensions, wallet)


def wallet_use(customer_id: UUID, *, rules: Rules, at: datetime, by: str) -> None:
    """Bring back from the wallet what is not paid for now, of a customer whose row is locked."""
    extensions = _brought_back(customer_id, wallet_of(customer_id, rules.tenant.currency), rules, at)
    if not extensions:
        return
    post([entry for done in extensions for entry in (done.draft.issue, done.draft.pay)])
    for done in extensions:
        subscription_carry_on(done, rules=rules, at=at, by=by)
    today = rules.local_date(at)
    for done in extensions:
        invoice_issue_paid(done.draft, year=today.year, due_on=today.isoformat())
    emit_many(
        (
            SubscriptionRenewed(
                subscription_id=done.subscription.id,
                customer_id=customer_id,
                amount=done.draft.line.total.amount,
                currency=done.draft.line.total.currency,
                expires_at=done.expires_at,
            ),
            f"customer:{customer_id}",
        )
        for done in extensions
    )


def _extension_of(recharge: Recharge, wallet: Money, rules: Rules, at: datetime) -> Extension | None:
    """The subscription carried on by a recharge; None when it cannot be completed and the money stays in the wallet."""
    total = Money(recharge.total, recharge.currency)
    if recharge.state != Recharge.State.PENDING or wallet < total:
        return None
    subscription: Subscription = recharge.subscription
    if subscription.state == Subscription.State.ENDED or subscription.stopped_at is not None:
        return None
    if subscription.package_to_buy.id != recharge.package_id:
        return None
    price = Quote(
        recharge.periods,
        Money(recharge.subtotal, recharge.currency),
        recharge.discount_percent,
        Money(recharge.discount, recharge.currency),
        total,
        recharge.tax_percent,
    )
    return extension(subscription=subscription, price=price, rules=rules, at=at)


def _brought_back(customer_id: UUID, wallet: Money, rules: Rules, at: datetime) -> list[Extension]:
    """What is not paid for now, oldest first, each carried on by one period while the wallet covers it.

    What staff stopped is left alone: its time would run while it is blocked.
    """
    rows = (
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .select_related("package", "next_package")
        .filter(customer_id=customer_id, stopped_at=None)
        .exclude(state__in=[Subscription.State.ACTIVE, Subscription.State.ENDED])
        .order_by("id")
    )
    extensions = []
    for subscription in rows:
        done = extension_from_wallet(subscription=subscription, wallet=wallet, rules=rules, at=at, is_unbroken=False)
        if done is not None:
            wallet -= done.draft.line.total
            extensions.append(done)
    return extensions


def _tell(
    receipt_id: UUID,
    customer_id: UUID,
    money: Money,
    number: str | None,
    invoice_numbers: Sequence[str],
    extensions: Sequence[Extension],
    wallet: Money,
) -> None:
    key = f"customer:{customer_id}"
    happenings: list[tuple[object, str]] = [
        (SubscriptionChanged(subscription_id=done.subscription.id, customer_id=customer_id), key) for done in extensions
    ]
    booked = ReceiptBooked(
        receipt_id=receipt_id,
        customer_id=customer_id,
        amount=money.amount,
        currency=money.currency,
        number=number,
        invoice_number=", ".join(invoice_numbers),
        expires_at=min((done.expires_at for done in extensions), default=None),
        wallet=wallet.amount,
    )
    emit_many([*happenings, (booked, key)])


@transaction.atomic
def receipt_number_set(*, payment_id: UUID, number: str) -> None:
    """Fill in the gateway's number of money that was booked without one; a number that is there stays."""
    Receipt.objects.filter(payment_id=payment_id, number=None).update(number=number)
