"""Credit notes: an invoice is taken back, in part or whole. It stays as issued; new entries turn the book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from billing.calculations import credited_parts
from billing.models import AccountKind, AccountName, Allocation, CreditNote, Invoice
from billing.selectors import rules_current
from billing.services.ledger import Posting, post
from customers.services import customer_locked
from ispbilling.kernel import audit, clock, tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money, quantize
from ispbilling.kernel.states import state_move


@dataclass(frozen=True, slots=True)
class CreditDraft:
    """A credit note before it has its number. ``to_debt`` pays what was open of the invoice, the rest is given back."""

    id: UUID
    invoice: Invoice
    net: Money
    tax: Money
    to_debt: Money
    to_wallet: Money
    reason: str
    unused_from: datetime | None
    at: datetime
    entry: Posting

    @property
    def total(self) -> Money:
        return self.net + self.tax


def invoices_locked(invoice_ids: list[UUID]) -> dict[UUID, Invoice]:
    """Invoices under their row locks, which come after those of customer and subscription."""
    rows = Invoice.objects.select_for_update(no_key=True).filter(id__in=invoice_ids).order_by("id")
    return {row.id: row for row in rows}


def credit_draft(
    *, invoice: Invoice, amount: Money, reason: str, at: datetime, unused_from: datetime | None = None
) -> CreditDraft:
    """A credit note over ``amount``, tax contained, of a locked invoice, with its entry for the book.

    Raises Conflict ``credit.too_much`` for more than is left of the invoice, DomainError ``credit.amount`` for nothing.
    """
    currency, customer_id = invoice.currency, invoice.customer_id
    total, before = Money(invoice.total, currency), Money(invoice.credited, currency)
    if amount.amount <= 0:
        raise DomainError("credit.amount", "A credit note is over more than nothing.", fields={"amount": ["More."]})
    if total - before < amount:
        raise Conflict("credit.too_much", f"Only {total - before} is left of invoice {invoice.number}.")
    net, tax = credited_parts(Money(invoice.net, currency), Money(invoice.tax, currency), before=before, amount=amount)
    nothing = Money.zero(currency)
    to_debt = min(amount, max(_open_of(invoice), nothing))
    note_id = uuid7()
    legs = [
        (AccountName(AccountKind.REVENUE), net),
        (AccountName(AccountKind.TAX), tax),
        (AccountName(AccountKind.RECEIVABLE, customer_id), -to_debt),
        (AccountName(AccountKind.WALLET, customer_id), to_debt - amount),
    ]
    entry = Posting(
        id=uuid7(),
        key=f"credit:{note_id}",
        kind="credit",
        customer_id=customer_id,
        at=at,
        memo=invoice.number,
        legs=[(name, money) for name, money in legs if money],
    )
    return CreditDraft(note_id, invoice, net, tax, to_debt, amount - to_debt, reason, unused_from, at, entry)


def _open_of(invoice: Invoice) -> Money:
    """What is neither paid nor credited of it."""
    if invoice.state == Invoice.State.PAID:
        return Money.zero(invoice.currency)
    paid = Allocation.objects.filter(invoice=invoice).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return Money(invoice.total - invoice.credited - paid, invoice.currency)


def credit_write(draft: CreditDraft, *, year: int, by: str) -> CreditNote:
    """Write the note with the next number of the year. Its entry must be in the book already.

    Among the last writes of its transaction, as the numbers of invoices. An invoice that is credited whole is void.
    """
    invoice, total = draft.invoice, draft.total
    still_open = _open_of(invoice) - draft.to_debt
    invoice.credited += total.amount
    if invoice.credited == invoice.total:
        state_move(invoice, to=Invoice.State.VOID, by=by, reason=draft.reason, changes={"credited": invoice.credited})
    elif invoice.state == Invoice.State.ISSUED and still_open.amount <= 0:
        state_move(invoice, to=Invoice.State.PAID, by=by, reason=draft.reason, changes={"credited": invoice.credited})
    else:
        invoice.save(update_fields=["credited"])
    note: CreditNote = CreditNote.objects.create(
        id=draft.id,
        invoice=invoice,
        customer_id=invoice.customer_id,
        number=_next_number(year),
        net=draft.net.amount,
        tax=draft.tax.amount,
        total=total.amount,
        currency=invoice.currency,
        reason=draft.reason[:160],
        unused_from=draft.unused_from,
        entry_id=draft.entry.id,
        issued_at=draft.at,
    )
    audit.record(
        actor=by,
        verb="credit_note.issue",
        row=note,
        new={"number": note.number, "invoice": invoice.number, "total": total.amount},
        reason=draft.reason,
    )
    return note


def _next_number(year: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_creditnotecounter AS c (id, tenant_id, year, last)"
            " VALUES (gen_random_uuid(), %s, %s, 1)"
            " ON CONFLICT (tenant_id, year) DO UPDATE SET last = c.last + 1 RETURNING last",
            [tenancy.tenant_id_required(), year],
        )
        return f"CN-{year}-{cursor.fetchone()[0]:06d}"


@transaction.atomic
def credit_note_preview(*, invoice_id: UUID, amount: Decimal | None, reason: str) -> CreditDraft:
    """A credit note as ``credit_note_issue`` would write it now. Writes nothing; raises the same."""
    return _drafted(invoice_id, amount, reason)


@transaction.atomic
def credit_note_issue(*, invoice_id: UUID, amount: Decimal | None, reason: str, actor: str) -> CreditNote:
    """Take an invoice back: ``amount`` of it, tax contained, or all that is left. What was paid goes into the wallet.

    The time it bought stays; whoever wants it back sets the expiry. Raises NotFound, DomainError ``credit.amount``,
    ``credit.reason``, Conflict ``credit.too_much``, ``credit.nothing``.
    """
    draft = _drafted(invoice_id, amount, reason)
    post([draft.entry])
    return credit_write(draft, year=rules_current().local_date(draft.at).year, by=actor)


def _drafted(invoice_id: UUID, amount: Decimal | None, reason: str) -> CreditDraft:
    customer_id = Invoice.objects.filter(id=invoice_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise NotFound("invoice.unknown", "There is no such invoice.")
    if not reason.strip():
        raise DomainError("credit.reason", "A credit note needs a reason.", fields={"reason": ["Say why."]})
    customer_locked(customer_id)
    invoice = invoices_locked([invoice_id])[invoice_id]
    left = Money(invoice.total - invoice.credited, invoice.currency)
    if not left:
        raise Conflict("credit.nothing", f"Invoice {invoice.number} is credited whole already.")
    if amount is not None and quantize(amount, invoice.currency) != amount:
        raise DomainError("credit.amount", f"That is not an amount of {invoice.currency}.", fields={"amount": ["No."]})
    wanted = left if amount is None else Money(amount, invoice.currency)
    return credit_draft(invoice=invoice, amount=wanted, reason=reason.strip(), at=clock.now())
