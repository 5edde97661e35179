"""Invoices: issued whole, with the next number of the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from billing.calculations import contained_tax
from billing.models import AccountKind, AccountName, Invoice
from billing.services.ledger import Posting, posting
from ispbilling.kernel import tenancy
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be invoiced, tax contained."""

    text: str
    quantity: int
    unit_price: Money
    discount: Money
    total: Money
    tax_percent: Decimal
    subscription_id: UUID
    period_from: datetime
    period_until: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice before it has its number: everything else is decided, so that the number can be taken last."""

    id: UUID
    customer_id: UUID
    line: Line
    net: Money
    tax: Money
    tax_name: str
    at: datetime
    issue: Posting
    pay: Posting


def invoice_draft(*, customer_id: UUID, line: Line, tax_name: str, at: datetime) -> Draft:
    """An invoice over one line, to be paid from the wallet at once, with its two entries for the book."""
    invoice_id = uuid7()
    net, tax = contained_tax(line.total, line.tax_percent)
    receivable, wallet = AccountName(AccountKind.RECEIVABLE, customer_id), AccountName(AccountKind.WALLET, customer_id)
    issue = posting(
        key=f"invoice:{invoice_id}",
        kind="invoice",
        customer_id=customer_id,
        at=at,
        memo=line.text,
        debit=receivable,
        credit=[(AccountName(AccountKind.REVENUE), net), (AccountName(AccountKind.TAX), tax)],
    )
    pay = posting(
        key=f"allocation:{invoice_id}",
        kind="allocation",
        customer_id=customer_id,
        at=at,
        memo=line.text,
        debit=wallet,
        credit=[(receivable, line.total)],
    )
    return Draft(invoice_id, customer_id, line, net, tax, tax_name if line.tax_percent else "", at, issue, pay)


@transaction.atomic(savepoint=False)
def invoice_issue_paid(draft: Draft, *, year: int, due_on: str) -> str:
    """Write the invoice with its line and allocation, and give it the next number, which is returned.

    The last write of its transaction: the counter's row is locked until the commit, and a transaction that fails
    gives its number back. The draft's entries must be in the book already.
    """
    tenant, line = tenancy.tenant_id_required(), draft.line
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH counter AS (INSERT INTO billing_invoicecounter AS c (id, tenant_id, year, last)"
            " VALUES (gen_random_uuid(), %(tenant)s, %(year)s, 1)"
            " ON CONFLICT (tenant_id, year) DO UPDATE SET last = c.last + 1 RETURNING last),"
            " invoice AS (INSERT INTO billing_invoice (id, tenant_id, customer_id, number, state, net, tax, total,"
            " currency, issued_at, due_on) SELECT %(id)s, %(tenant)s, %(customer)s,"
            " %(year)s || '-' || lpad(last::text, 6, '0'), %(state)s, %(net)s, %(tax)s, %(total)s, %(currency)s,"
            " %(at)s, %(due)s FROM counter RETURNING number),"
            " line AS (INSERT INTO billing_invoiceline (id, tenant_id, invoice_id, text, quantity, unit_price,"
            " discount, total, subscription_id, period_from, period_until, tax, tax_percent, tax_name)"
            " VALUES (%(line)s, %(tenant)s, %(id)s, %(text)s, %(quantity)s, %(unit)s, %(discount)s, %(total)s,"
            " %(subscription)s, %(from)s, %(until)s, %(tax)s, %(tax_percent)s, %(tax_name)s)),"
            " allocation AS (INSERT INTO billing_allocation (id, tenant_id, invoice_id, entry_id, amount)"
            " VALUES (%(allocation)s, %(tenant)s, %(id)s, %(entry)s, %(total)s))"
            " SELECT number FROM invoice",
            {
                "tenant": tenant,
                "year": year,
                "id": draft.id,
                "customer": draft.customer_id,
                "state": Invoice.State.PAID,
                "net": draft.net.amount,
                "tax": draft.tax.amount,
                "total": line.total.amount,
                "currency": line.total.currency,
                "at": draft.at,
                "due": due_on,
                "line": uuid7(),
                "text": line.text[:160],
                "quantity": line.quantity,
                "unit": line.unit_price.amount,
                "discount": line.discount.amount,
                "subscription": line.subscription_id,
                "from": line.period_from,
                "until": line.period_until,
                "tax_percent": line.tax_percent,
                "tax_name": draft.tax_name,
                "allocation": uuid7(),
                "entry": draft.pay.id,
            },
        )
        return str(cursor.fetchone()[0])
