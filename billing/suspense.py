"""Reads about money that found no owner, and guesses at whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.selectors import tenant_current
from billing.models import Receipt, Recharge
from customers.models import Customer
from customers.selectors import customer_of_account, customers_of_phone
from ispbilling.kernel import clock
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.money import Money
from ispbilling.kernel.phone import normalise
from payments.models import StatementLine
from payments.selectors import statement_lines_open

#: An order so old is hardly what somebody pays for now; so many guesses help.
ORDER_AGE, MOST_GUESSES = timedelta(days=7), 4


def receipts_in_suspense() -> QuerySet[Receipt]:
    """Booked money of nobody, oldest first: who waits longest is looked at first."""
    rows: QuerySet[Receipt] = Receipt.objects.filter(customer=None, returned_at=None).select_related("payment__account")
    return rows.order_by("booked_at", "id")


def waiting() -> QuerySet[Any, Any]:
    """Everything that waits for its owner, to be counted: ids alone."""
    lines = statement_lines_open().order_by().values("pk")
    return receipts_in_suspense().order_by().values("pk").union(lines, all=True)


def receipt_get(receipt_id: UUID) -> Receipt:
    """With its payment and customer. Raises NotFound."""
    rows = Receipt.objects.select_related("payment__account", "customer")
    found: Receipt | None = rows.filter(id=receipt_id).first()
    if found is None:
        raise NotFound("receipt.unknown", "There is no such receipt.")
    return found


def receipt_of_payment(payment_id: UUID) -> Receipt | None:
    """The receipt a payment was booked by."""
    found: Receipt | None = Receipt.objects.select_related("customer").filter(payment_id=payment_id).first()
    return found


@dataclass(frozen=True, slots=True)
class Clue:
    """What is known of money without an owner. ``phone`` may be empty or partly hidden; nothing of it is proven."""

    amount: Money
    typed: str
    phone: str
    at: datetime

    @classmethod
    def of_receipt(cls, receipt: Receipt) -> Clue:
        payment = receipt.payment
        return cls(Money(receipt.amount, receipt.currency), payment.payer_text, payment.phone, receipt.received_at)

    @classmethod
    def of_line(cls, line: StatementLine) -> Clue:
        return cls(Money(line.amount, line.currency), line.account_text, line.payer, line.at)


@dataclass(slots=True)
class Guess:
    """A customer it may be, and why."""

    customer: Customer
    reasons: list[str] = field(default_factory=list)


def guesses(clue: Clue) -> list[Guess]:
    """Whose money it may be, the most reasons first. Never more than a guess: a person decides."""
    found: dict[UUID, Guess] = {}
    for customer, reason in _reasons(clue):
        guess = found.setdefault(customer.id, Guess(customer))
        if reason not in guess.reasons:
            guess.reasons.append(reason)
    ranked = sorted(found.values(), key=lambda guess: -len(guess.reasons))
    return ranked[:MOST_GUESSES]


def _reasons(clue: Clue) -> Iterator[tuple[Customer, str]]:
    words = [clue.typed, *clue.typed.replace("/", " ").replace(",", " ").split()][:6]
    for word in words:
        named = customer_of_account(word) if word.strip() else None
        if named is not None and named.deleted_at is None:
            yield named, _("his code stands in the text")
    for said, reason in ((clue.phone, _("same phone")), (clue.typed, _("their phone number stands in the text"))):
        for customer in customers_of_phone(_number(said))[:MOST_GUESSES] if _number(said) else []:
            yield customer, reason
    orders = Recharge.objects.filter(
        state=Recharge.State.PENDING,
        total=clue.amount.amount,
        currency=clue.amount.currency,
        created_at__gt=clock.now() - ORDER_AGE,
        customer__deleted_at=None,
    )
    for order in orders.select_related("customer").order_by("-created_at")[:MOST_GUESSES]:
        yield order.customer, _("ordered for exactly this amount, not paid yet")


def _number(text: str) -> str:
    try:
        return normalise(text, tenant_current().country) if text else ""
    except DomainError:
        return ""
