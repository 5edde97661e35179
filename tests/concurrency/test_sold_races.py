"""Credit notes and changes of package under races: first the race, then that the real code does not lose it."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.models import CreditNote, Invoice
from billing.selectors import wallet_of
from billing.services import credit_note_issue, package_change
from billing.services.ledger import ledger_check
from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import DomainError
from tests import factories
from tests.billing.test_receipts import paid
from tests.concurrency.test_money_races import at_once, inside

TOGETHER = 8


class Sold:
    """A customer with a paid invoice, and another package he could have."""

    def __init__(self) -> None:
        self.tenant = factories.tenant_make()
        with tenancy.tenant_context(self.tenant.id), transaction.atomic():
            self.subscription = factories.subscription_make()
            paid(self.subscription, "1500")
            self.invoice = Invoice.objects.get()
            self.package = factories.package_make(price=Decimal(3000))

    def look(self, work: Any) -> Any:
        return inside(self.tenant.id, work)(0)


@pytest.fixture
def sold(committed: None) -> Sold:
    return Sold()


def codes(results: list[Any]) -> Counter[str]:
    return Counter(one.code if isinstance(one, DomainError) else "done" for one in results)


def test_without_the_lock_every_clerk_would_find_the_invoice_whole(sold: Sold) -> None:
    """The race itself: looking before acting, with no lock, lets more than one through."""
    looked = threading.Barrier(TOGETHER)

    def naive() -> bool:
        invoice = Invoice.objects.get(id=sold.invoice.id)
        looked.wait()
        return bool(invoice.credited == 0)

    assert at_once(TOGETHER, inside(sold.tenant.id, naive)) == [True] * TOGETHER


def test_of_several_clerks_at_once_one_takes_an_invoice_back(sold: Sold) -> None:
    def act() -> Any:
        return credit_note_issue(invoice_id=sold.invoice.id, amount=None, reason="x", actor="user:x")

    assert codes(at_once(TOGETHER, inside(sold.tenant.id, act))) == {"done": 1, "credit.nothing": TOGETHER - 1}
    assert sold.look(lambda: wallet_of(sold.subscription.customer_id, "KES").amount) == Decimal("1500.00")
    assert sold.look(ledger_check) == []


def test_a_package_changed_twice_at_once_is_changed_once(sold: Sold) -> None:
    def act() -> Any:
        return package_change(subscription_id=sold.subscription.id, package_id=sold.package.id, actor="user:x")

    assert codes(at_once(TOGETHER, inside(sold.tenant.id, act))) == {"done": 1, "change.same": TOGETHER - 1}
    assert sold.look(CreditNote.objects.count) == 1
    assert sold.look(ledger_check) == []


def test_a_change_and_a_credit_at_once_give_no_more_back_than_was_paid(sold: Sold) -> None:
    def act(number: int) -> Any:
        with tenancy.tenant_context(sold.tenant.id), transaction.atomic():
            if number % 2:
                return credit_note_issue(invoice_id=sold.invoice.id, amount=None, reason="x", actor="user:x")
            return package_change(subscription_id=sold.subscription.id, package_id=sold.package.id, actor="user:x")

    at_once(TOGETHER, act)
    credited = sold.look(lambda: Invoice.objects.get(id=sold.invoice.id).credited)
    assert credited == Decimal("1500.000")
    assert sold.look(ledger_check) == []
