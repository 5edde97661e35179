"""Invoices and credit notes, for staff."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from billing import papers, services
from billing.documents import invoice_html, invoice_pdf, receipt_get, receipt_pdf
from billing.invoice_forms import CreditForm, InvoiceFilter
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, Unavailable
from ispbilling.kernel.money import Money
from ispbilling.kernel.paging import page_of


@require_safe
@access.staff("invoices:view")
def invoices(request: HttpRequest) -> HttpResponse:
    """All invoices, newest first, narrowed by state, day of issue, number and customer."""
    form = InvoiceFilter(request.GET or None)
    asked = form.cleaned_data if form.is_valid() else {}
    zone = request.tenant.zone_info  # type: ignore[attr-defined]
    since, until = asked.get("since"), asked.get("until")
    rows = papers.invoices_found(
        state=asked.get("state", ""),
        since=datetime.combine(since, time(), tzinfo=zone) if since else None,
        until=datetime.combine(until + timedelta(days=1), time(), tzinfo=zone) if until else None,
        query=asked.get("q", ""),
    )
    context = {"form": form, "page": page_of(request, rows, by="number"), "is_narrowed": any(asked.values())}
    return render(request, "billing/invoice_list.html", context)


@require_safe
@access.staff("invoices:view")
def invoice(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """One with its lines, what was allocated to it and what was taken back."""
    paper = papers.invoice_paper(invoice_id)
    membership: Any = request.membership  # type: ignore[attr-defined]
    context = {
        "paper": paper,
        "invoice": paper.invoice,
        "receipts": papers.receipts_around(paper.invoice),
        "may_credit": bool(paper.left) and role_has(membership.role, "invoices:credit"),
    }
    return render(request, "billing/invoice_detail.html", context)


@require_safe
@access.staff("invoices:view")
def invoice_print(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """The same paper for a browser's printer, where no files can be made."""
    return HttpResponse(invoice_html(papers.invoice_paper(invoice_id).invoice, is_screen=True))


@require_safe
@access.staff("invoices:view")
def invoice_file(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """The invoice as PDF; where none can be made, the page that can be printed, with the reason."""
    found = papers.invoice_paper(invoice_id).invoice
    try:
        content = invoice_pdf(found)
    except Unavailable as error:
        messages.error(request, error.message)
        return redirect("billing:invoice", invoice_id=found.id)
    return _file(content, found.number)


@require_safe
@access.staff("invoices:view")
def receipt_file(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """A receipt as PDF."""
    receipt = receipt_get(receipt_id)
    return _file(receipt_pdf(receipt), receipt.number or str(receipt.id))


def _file(content: bytes, name: str) -> HttpResponse:
    """Shown by the browser under its number; kept nowhere on the way."""
    safe = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-_"))
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{safe or "document"}.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("invoices:credit")
def invoice_credit(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """Take it back, in part or whole: first shown as it will be booked, then booked."""
    paper = papers.invoice_paper(invoice_id)
    form = CreditForm(request.POST or None, initial={"amount": paper.left.amount})
    context: dict[str, Any] = {"paper": paper, "invoice": paper.invoice, "form": form}
    if request.method == "POST" and form.is_valid():
        amount, reason = form.cleaned_data["amount"], form.cleaned_data["reason"]
        try:
            if request.POST.get("action") == "sure":
                note = services.credit_note_issue(
                    invoice_id=invoice_id,
                    amount=amount,
                    reason=reason,
                    actor=actor_of(request.user.id),  # type: ignore[arg-type]
                )
                messages.success(request, _("Credit note %(number)s is issued.") % {"number": note.number})
                return redirect("billing:invoice", invoice_id=invoice_id)
            wanted = Money(amount, paper.invoice.currency)
            context["draft"] = services.credit_note_preview(invoice_id=invoice_id, amount=wanted.amount, reason=reason)
        except DomainError as error:
            form.add_error("amount" if error.code.startswith("credit.") else None, error.message)
    return render(request, "billing/invoice_credit.html", context, status=422 if form.errors else 200)
