"""Invoices are taken back by credit notes: never more than was invoiced, and the book stays balanced."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import AccountKind, AccountName, CreditNote, Invoice, InvoiceLine, Subscription
from billing.selectors import balance, wallet_of
from billing.services import (
    credit_note_issue,
    credit_note_preview,
    package_change,
    package_change_preview,
    policy_set,
)
from billing.services.ledger import ledger_check
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.models import AuditEntry
from tests import factories
from tests.billing.test_receipts import booked, paid


@pytest.fixture
def invoice(tenant: Any) -> Invoice:
    """1,160 with 160 of tax, paid."""
    policy_set(changes={"tax_percent": Decimal(16)}, actor=factories.ACTOR)
    subscription = factories.subscription_make(package=factories.package_make(price=Decimal(1160)))
    paid(subscription, "1160")
    found: Invoice = Invoice.objects.get()
    return found


def credit(invoice: Invoice, amount: str | None) -> CreditNote:
    return credit_note_issue(
        invoice_id=invoice.id, amount=Decimal(amount) if amount else None, reason="a day without", actor="user:x"
    )


def test_a_part_goes_into_the_wallet(invoice: Invoice) -> None:
    note = credit(invoice, "116")
    assert (note.net, note.tax) == (Decimal("100.00"), Decimal("16.00"))
    assert wallet_of(invoice.customer_id, "KES").amount == Decimal("116.00")


def test_the_entry_is_turned_in_revenue_and_tax(invoice: Invoice) -> None:
    credit(invoice, "116")
    assert balance(AccountName(AccountKind.REVENUE), "KES").amount == Decimal("-900.00")
    assert balance(AccountName(AccountKind.TAX), "KES").amount == Decimal("-144.00")
    assert ledger_check() == []


def test_an_invoice_credited_whole_is_void(invoice: Invoice) -> None:
    credit(invoice, "1000")
    credit(invoice, None)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.credited) == (Invoice.State.VOID, Decimal("1160.000"))
    assert balance(AccountName(AccountKind.TAX), "KES").amount == 0


def test_more_than_was_invoiced_is_refused(invoice: Invoice) -> None:
    credit(invoice, "1000")
    with pytest.raises(Conflict) as refused:
        credit(invoice, "160.01")
    assert refused.value.code == "credit.too_much"


def test_the_database_itself_refuses_more(invoice: Invoice) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(credited=Decimal("1160.001"))


def test_what_is_credited_whole_has_nothing_left(invoice: Invoice) -> None:
    credit(invoice, None)
    with pytest.raises(Conflict) as refused:
        credit(invoice, None)
    assert refused.value.code == "credit.nothing"


def test_notes_have_numbers_of_their_own_without_a_gap(invoice: Invoice) -> None:
    numbers = [credit(invoice, "1").number[-6:] for _ in range(3)]
    assert numbers == ["000001", "000002", "000003"]


@pytest.mark.parametrize(("amount", "reason"), [("0", "x"), ("-1", "x"), ("0.001", "x"), ("1", " ")])
def test_what_is_no_amount_or_no_reason_is_refused(amount: str, reason: str, invoice: Invoice) -> None:
    with pytest.raises(DomainError):
        credit_note_issue(invoice_id=invoice.id, amount=Decimal(amount), reason=reason, actor="user:x")
    assert not CreditNote.objects.exists()


def test_a_preview_writes_nothing_and_says_what_comes(invoice: Invoice) -> None:
    draft = credit_note_preview(invoice_id=invoice.id, amount=Decimal(116), reason="x")
    assert not CreditNote.objects.exists()
    note = credit(invoice, "116")
    assert (draft.net.amount, draft.tax.amount) == (note.net, note.tax)


def test_who_took_it_back_is_written_down(invoice: Invoice) -> None:
    credit(invoice, "116")
    entry = AuditEntry.objects.get(verb="credit_note.issue")
    assert (entry.actor, entry.reason) == ("user:x", "a day without")


def test_credited_money_lessens_what_the_time_is_worth(tenant: Any, travel: Any) -> None:
    package = factories.package_make(price=Decimal(3000), period_unit="day", period_count=30)
    subscription = factories.subscription_make(package=package)
    paid(subscription, "3000")
    travel(days=15)
    credit(Invoice.objects.get(), "1000")
    change = package_change_preview(subscription_id=subscription.id, package_id=factories.package_make().id)
    assert change.worth.amount.quantize(Decimal(1)) == 1000


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_bought_changed_and_credited_the_book_balances(seed: int, tenant: Any, travel: Any) -> None:
    chance = Random(seed)
    policy_set(
        changes={"tax_percent": Decimal("16.5"), "tax_mode": chance.choice(["contained", "on_top"])}, actor="system:x"
    )
    packages = [
        factories.package_make(price=Decimal(chance.randrange(1, 300_000)) / 100, period_unit="day", period_count=days)
        for days in (1, 7, 30)
    ]
    subscription = factories.subscription_make(package=packages[0])
    for step in range(12):
        travel(hours=chance.randrange(1, 200))
        try:
            with transaction.atomic():
                _one_step(chance, subscription, packages, step)
        except DomainError:
            continue  # the rules said no: nothing may have been booked
    assert ledger_check() == []
    for invoice in Invoice.objects.prefetch_related("lines", "credit_notes"):
        assert invoice.net + invoice.tax == invoice.total
        assert sum(line.tax for line in invoice.lines.all()) == invoice.tax
        assert sum(note.total for note in invoice.credit_notes.all()) == invoice.credited <= invoice.total
    money_in = -balance(AccountName(AccountKind.WALLET, subscription.customer_id), "KES").amount
    sold = sum(Invoice.objects.values_list("total", flat=True))
    given_back = sum(CreditNote.objects.values_list("total", flat=True))
    assert money_in == _received(subscription) - sold + given_back
    assert InvoiceLine.objects.count() == Invoice.objects.count()


def _received(subscription: Subscription) -> Decimal:
    return sum(subscription.customer.receipts.values_list("amount", flat=True), Decimal(0))


def _one_step(chance: Random, subscription: Subscription, packages: list[Any], step: int) -> None:
    amount = str(Decimal(chance.randrange(1, 400_000)) / 100)
    match chance.randrange(4):
        case 0:
            booked(subscription, amount, None, f"S{step}")
        case 1:
            paid(subscription, amount, number=f"S{step}")
        case 2:
            into = chance.choice(["time", "wallet"])
            package_change(
                subscription_id=subscription.id, package_id=chance.choice(packages).id, into=into, actor="user:x"
            )
        case _:
            invoice = chance.choice([*Invoice.objects.order_by("id"), None])
            if invoice is not None:
                credit_note_issue(
                    invoice_id=invoice.id,
                    amount=chance.choice([None, Decimal(chance.randrange(1, 5000)) / 100]),
                    reason="x",
                    actor="user:x",
                )
