"""Reads of what was sold: subscriptions, invoices, credit notes, and what of them can be given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Min, Q, QuerySet

from billing.calculations import PaidTime
from billing.models import Allocation, CreditNote, Invoice, InvoiceLine, Receipt, Subscription
from customers.selectors import customers_found
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.money import Money

State = Subscription.State


def paid_times(subscription_id: UUID, *, at: datetime) -> list[PaidTime]:
    """Bought and paid time of a subscription that reaches beyond ``at``, oldest first. One query.

    What was credited without taking time back makes the time worth less, in proportion. Each instant is worth something
    once: where a person shortened the time and more was bought then, the later purchase counts.
    """
    rows = (
        InvoiceLine.objects.filter(
            subscription_id=subscription_id, period_until__gt=at, invoice__state=Invoice.State.PAID, total__gt=0
        )
        .annotate(cut_at=Min("invoice__credit_notes__unused_from"), of=F("invoice__total"), back=F("invoice__credited"))
        .select_related("invoice")
        .order_by("period_from", "id")
    )
    times: list[PaidTime] = []
    following: datetime | None = None
    for row in reversed(list(rows)):
        value = Money(row.total * (row.of - row.back) / row.of, row.invoice.currency)
        counts_until = min(filter(None, (row.cut_at, following)), default=None)
        times.append(PaidTime(row.period_from, row.period_until, value, row.invoice_id, counts_until))
        following = row.period_from
    return times[::-1]


def subscriptions_found(
    *, state: str = "", package_id: UUID | None = None, expires_before: datetime | None = None, query: str = ""
) -> QuerySet[Subscription]:
    """Subscriptions of whoever is not deleted, with customer and package, newest first.

    ``expires_before``: of those that run, who runs out by then. ``query``: as customers are found.
    """
    rows = Subscription.objects.filter(customer__deleted_at=None).select_related("customer", "package", "next_package")
    if state:
        rows = rows.filter(state=state)
    if package_id is not None:
        rows = rows.filter(package_id=package_id)
    if expires_before is not None:
        rows = rows.filter(expires_at__lte=expires_before, state__in=[State.ACTIVE, State.GRACE])
    if query:
        rows = rows.filter(customer_id__in=customers_found(query).order_by().values("id"))
    found: QuerySet[Subscription] = rows.order_by("-created_at", "-id")
    return found


def invoices_found(
    *, state: str = "", since: datetime | None = None, until: datetime | None = None, query: str = ""
) -> QuerySet[Invoice]:
    """Invoices with their customers, highest number first. ``query`` is the beginning of a number, or finds customers.

    ``since`` belongs to the time looked at, ``until`` does not any more.
    """
    rows = Invoice.objects.select_related("customer")
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(issued_at__gte=since) if since is not None else rows
    rows = rows.filter(issued_at__lt=until) if until is not None else rows
    if query:
        by_customer = Q(customer_id__in=customers_found(query).order_by().values("id"))
        rows = rows.filter(by_customer | Q(number__startswith=query))
    found: QuerySet[Invoice] = rows.order_by("-number", "-id")
    return found


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice with all that stands on it."""

    invoice: Invoice
    lines: list[InvoiceLine]
    paid: Money
    allocations: list[Allocation]
    credit_notes: list[CreditNote]

    @property
    def left(self) -> Money:
        """What can still be credited."""
        return Money(self.invoice.total - self.invoice.credited, self.invoice.currency)

    @property
    def taxes(self) -> list[tuple[str, Decimal, Money, Money]]:
        """(name, per cent, net, tax) by rate, for the summary under the lines."""
        currency, sums = self.invoice.currency, dict[tuple[str, Decimal], tuple[Decimal, Decimal]]()
        for line in self.lines:
            net, tax = sums.get((line.tax_name, line.tax_percent), (Decimal(0), Decimal(0)))
            sums[line.tax_name, line.tax_percent] = (net + line.total - line.tax, tax + line.tax)
        return [
            (name, percent, Money(net, currency), Money(tax, currency))
            for (name, percent), (net, tax) in sorted(sums.items())
            if tax
        ]


def invoice_paper(invoice_id: UUID, *, customer_id: UUID | None = None) -> Paper:
    """With lines, allocations and credit notes. ``customer_id``: only if it is his. Raises NotFound."""
    rows = Invoice.objects.select_related("customer")
    rows = rows.filter(customer_id=customer_id) if customer_id is not None else rows
    invoice = rows.filter(id=invoice_id).first()
    if invoice is None:
        raise NotFound("invoice.unknown", "There is no such invoice.")
    allocations = list(invoice.allocations.select_related("entry").order_by("id"))
    paid = sum((Money(one.amount, invoice.currency) for one in allocations), Money.zero(invoice.currency))
    return Paper(
        invoice,
        list(invoice.lines.select_related("subscription").order_by("id")),
        paid,
        allocations,
        list(invoice.credit_notes.order_by("issued_at", "id")),
    )


def receipts_around(invoice: Invoice) -> list[Receipt]:
    """Money of the customer that came in the day before an invoice was paid: what most likely paid it.

    The wallet stands between the two, so that none of it belongs to an invoice by itself.
    """
    rows = Receipt.objects.filter(
        customer_id=invoice.customer_id,
        booked_at__lte=invoice.issued_at,
        booked_at__gt=invoice.issued_at - timedelta(days=1),
    )
    return list(rows.order_by("-booked_at", "-id")[:5])


def subscription_history(subscription_id: UUID, *, limit: int = 20) -> list[InvoiceLine]:
    """What was sold to it, newest first, with the invoices."""
    rows = InvoiceLine.objects.filter(subscription_id=subscription_id).select_related("invoice")
    return list(rows.order_by("-invoice__issued_at", "-id")[:limit])
