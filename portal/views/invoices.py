"""Bills: what was sold, and what is paid of it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import selectors as billing
from billing.documents import invoice_pdf
from billing.models import Invoice
from ispbilling.kernel import access
from ispbilling.kernel.errors import NotFound, Unavailable
from ispbilling.kernel.money import Money
from ispbilling.kernel.paging import page_of


@never_cache
@require_safe
@access.customer()
def invoice_list(request: HttpRequest) -> HttpResponse:
    """Newest first."""
    customer = request.customer  # type: ignore[attr-defined]
    page = page_of(request, billing.invoices_of(customer.id), by="issued_at", size=20)
    return render(request, "portal/invoices.html", {"page": page})


@never_cache
@require_safe
@access.customer()
def invoice(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """One bill with its lines."""
    row = own_invoice(request, invoice_id)
    paid = Money(row.paid, row.currency)  # type: ignore[attr-defined]
    context = {
        "invoice": row,
        "lines": row.lines.order_by("id"),
        "paid": paid,
        "left": Money(row.total, row.currency) - paid,
    }
    return render(request, "portal/invoice.html", context)


@never_cache
@require_safe
@access.customer()
def invoice_file(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """The bill as PDF; where none can be made, the bill's page says so, which can be printed too."""
    row = own_invoice(request, invoice_id)
    try:
        return as_file(invoice_pdf(row), row.number)
    except Unavailable as error:
        messages.error(request, error.message)
        return redirect("portal:invoice", invoice_id=row.id)


def as_file(content: bytes, name: str) -> HttpResponse:
    """A PDF the browser keeps under its number."""
    safe = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-_"))
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{safe or "document"}.pdf"'
    return answer


def own_invoice(request: HttpRequest, invoice_id: UUID) -> Invoice:
    """With ``paid``. Raises NotFound, also for another customer's."""
    customer = request.customer  # type: ignore[attr-defined]
    row = billing.invoices_with_paid(billing.invoices_of(customer.id)).filter(id=invoice_id).first()
    if row is None:
        raise NotFound("invoice.unknown", "There is no such bill.")
    return row
