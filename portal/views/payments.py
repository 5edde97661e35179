"""How a payment goes, and money that came."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import selectors as billing
from billing.documents import receipt_get, receipt_pdf
from billing.services.receipts import RECHARGE
from customers.models import Customer
from ispbilling.kernel import access
from ispbilling.kernel.errors import NotFound, Unavailable
from ispbilling.kernel.money import Money
from ispbilling.kernel.paging import page_of
from payments import selectors as payments
from payments.models import Payment
from portal.views.invoices import as_file
from portal.views.recharge import own_payment
from portal.wording import advice_of


@never_cache
@require_safe
@access.customer()
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """How a payment goes."""
    return render(request, "portal/payment.html", _context(request, payment_id))


@never_cache
@require_safe
@access.customer()
def payment_status(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The moving part of the payment's page."""
    return render(request, "portal/_payment_status.html", _context(request, payment_id))


def _context(request: HttpRequest, payment_id: UUID) -> dict[str, Any]:
    row, owner = own_payment(request, payment_id)
    is_own = owner.id == request.customer.id  # type: ignore[attr-defined]
    recharge = billing.recharge_get(row.purpose_id) if row.purpose == RECHARGE and row.purpose_id else None
    is_paid = row.state == Payment.State.SUCCEEDED
    is_bought = recharge is None or recharge.state != recharge.State.PENDING
    is_part = recharge is not None and is_own and row.amount < recharge.total
    is_less = row.paid_amount is not None and row.paid_amount < row.amount
    return {
        "payment": row,
        "recharge": recharge,
        "is_own": is_own,
        # Paid, and the book has not said yet what it bought: a moment more.
        "is_moving": row.is_open or (is_paid and not is_bought and not is_less),
        # What the wallet pays the rest of.
        "price": Money(recharge.total, recharge.currency) if recharge is not None and is_part else None,
        "is_less": is_paid and not is_bought and is_less,
        "advice": advice_of(row.reason),
    }


@never_cache
@require_safe
@access.customer()
def payment_list(request: HttpRequest) -> HttpResponse:
    """Money that came, newest first, and above it what is still open."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    page = page_of(request, billing.receipts_of(customer.id), by="received_at", size=20)
    is_open = [Payment.State.INITIATED, Payment.State.PENDING]
    waiting = payments.payments_of(customer.id).filter(state__in=is_open)[:5]
    return render(request, "portal/payments.html", {"page": page, "waiting": waiting})


@never_cache
@require_safe
@access.customer()
def receipt(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """One receipt, to keep or to print, with what it bought."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    row = billing.receipts_of(customer.id).select_related("payment").filter(id=receipt_id).first()
    if row is None:
        raise NotFound("receipt.unknown", "There is no such receipt.")
    payment = row.payment
    recharge = billing.recharge_get(payment.purpose_id) if payment.purpose == RECHARGE and payment.purpose_id else None
    return render(request, "portal/receipt.html", {"receipt": row, "recharge": recharge})


@never_cache
@require_safe
@access.customer()
def receipt_file(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """The receipt as PDF; where none can be made, the receipt's page says so."""
    row = receipt_get(receipt_id, customer_id=request.customer.id)  # type: ignore[attr-defined]
    try:
        return as_file(receipt_pdf(row), row.number or "")
    except Unavailable as error:
        messages.error(request, error.message)
        return redirect("portal:receipt", receipt_id=row.id)
