"""Reads of invoices and credit notes: what was sold, and what of it can be given back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F, Min

from billing.calculations import PaidTime
from billing.models import Invoice, InvoiceLine
from ispbilling.kernel.money import Money


def paid_times(subscription_id: UUID, *, at: datetime) -> list[PaidTime]:
    """Bought and paid time of a subscription that reaches beyond ``at``, oldest first. One query.

    What was credited without taking time back makes the time worth less, in proportion.
    """
    rows = (
        InvoiceLine.objects.filter(
            subscription_id=subscription_id, period_until__gt=at, invoice__state=Invoice.State.PAID, total__gt=0
        )
        .annotate(cut_at=Min("invoice__credit_notes__unused_from"), of=F("invoice__total"), back=F("invoice__credited"))
        .select_related("invoice")
        .order_by("period_from", "id")
    )
    times = []
    for row in rows:
        value = Money(row.total * (row.of - row.back) / row.of, row.invoice.currency)
        end = min(filter(None, (row.period_until, row.cut_at)))
        times.append(PaidTime(row.period_from, end, value, row.invoice_id))
    return times
