"""Receipts, and money that found no owner, or the wrong one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from billing import selectors, services, suspense
from billing.forms import OwnerForm, ReleaseForm, ReturnForm
from billing.models import Receipt
from customers.models import Customer
from customers.selectors import customer_known, customers_found
from ispbilling.kernel import access, clock, counters
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.paging import page_of, search_term
from payments.selectors import payment_get, statement_line_get, statement_lines_open

SHOWN, FOUND = 50, 10


@require_safe
@access.staff("billing:view")
def waiting(request: HttpRequest) -> HttpResponse:
    """All money without an owner, the oldest first, with guesses."""
    receipts = list(suspense.receipts_in_suspense()[: SHOWN + 1])
    lines = list(statement_lines_open().order_by("at", "id")[: SHOWN + 1])
    now = clock.now()
    context = {
        "receipts": [(row, now - row.received_at) for row in receipts[:SHOWN]],
        "lines": [(row, now - row.at) for row in lines[:SHOWN]],
        "has_more": len(receipts) > SHOWN or len(lines) > SHOWN,
    }
    return render(request, "billing/suspense.html", context)


@require_safe
@access.staff("billing:view")
def receipts(request: HttpRequest) -> HttpResponse:
    """Money that came, newest first."""
    query = search_term(request)
    rows = selectors.receipts_all().select_related("customer")
    if query:
        rows = rows.filter(number__in=[query, query.upper()])
    page = page_of(request, rows, by="received_at")
    return render(request, "billing/receipt_list.html", {"page": page, "query": query})


@require_safe
@access.staff("billing:view")
def receipt(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """One receipt: whose it is, who it may be, and what can be done about it."""
    row = suspense.receipt_get(receipt_id)
    may = role_has(request.membership.role, "receipts:assign")  # type: ignore[attr-defined]
    is_waiting = row.customer_id is None and row.returned_at is None
    query = search_term(request)
    context = {
        "receipt": row,
        "may_assign": may,
        "is_waiting": is_waiting,
        "guesses": suspense.guesses(suspense.Clue.of_receipt(row)) if is_waiting else [],
        "query": query,
        "found": _found(query) if is_waiting else [],
        "return_form": ReturnForm(auto_id="return_%s"),
    }
    return render(request, "billing/receipt.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("receipts:assign")
def receipt_owner(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """Say whose money it is, or that it is not his whose it seemed. A look shows first what that does to his line."""
    row = suspense.receipt_get(receipt_id)
    return _give(request, row) if row.customer is None else _take(request, row, row.customer)


def _give(request: HttpRequest, row: Receipt) -> HttpResponse:
    if request.method != "POST" and "customer" not in request.GET:
        return redirect("billing:receipt", receipt_id=row.id)  # where he is chosen
    owner = _owner(request)

    def work() -> Receipt:
        return services.receipt_assign(receipt_id=row.id, customer_id=owner.id, actor=_actor(request))

    if request.method == "POST":
        work()
        return _done(request, row.id, _("The money is %(name)s's now.") % {"name": owner.name})
    context = {"receipt": row, "owner": owner, "effect": services.effect_of(customer_id=owner.id, work=work)}
    return render(request, "billing/receipt_assign.html", context)


def _take(request: HttpRequest, row: Receipt, owner: Customer) -> HttpResponse:
    form = ReleaseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        services.receipt_release(receipt_id=row.id, reason=reason, actor=_actor(request))
        return _done(request, row.id, _("The money lies in suspense again. What it had bought is taken back."))

    def work() -> Receipt:
        return services.receipt_release(receipt_id=row.id, reason=_("a look ahead"), actor=_actor(request))

    problem, effect = "", None
    try:
        effect = services.effect_of(customer_id=owner.id, work=work)
    except DomainError as error:
        problem = error.message
    context = {"receipt": row, "owner": owner, "form": form, "effect": effect, "problem": problem}
    return render(request, "billing/receipt_release.html", context, status=422 if form.errors else 200)


@require_POST
@access.staff("receipts:assign")
def receipt_return(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """It was given back; or it was not after all."""
    row = suspense.receipt_get(receipt_id)
    if request.POST.get("action") == "keep":
        services.receipt_return_undo(receipt_id=row.id, actor=_actor(request))
        return _done(request, row.id, _("The money lies in suspense again."))
    form = ReturnForm(request.POST)
    if not form.is_valid():
        raise DomainError("receipt.note", _("Say how it was given back."))
    services.receipt_return(receipt_id=row.id, note=form.cleaned_data["note"], actor=_actor(request))
    return _done(request, row.id, _("It is booked as given back."))


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("billing:view", POST="receipts:assign")
def statement_line(request: HttpRequest, statementline_id: UUID) -> HttpResponse:
    """A line of a gateway's statement that no payment has: whose money is it?"""
    line = statement_line_get(statementline_id)
    if request.method == "POST":
        owner = None if request.POST.get("action") == "nobody" else _owner(request)
        customer_id = owner.id if owner else None
        made = services.statement_line_book(line_id=line.id, customer_id=customer_id, actor=_actor(request))
        said = _("The money is %(name)s's now.") % {"name": owner.name} if owner else _("It is booked in suspense.")
        return _done(request, made.id, said)
    query = search_term(request)
    is_open = statement_lines_open().filter(id=line.id).exists()
    context = {
        "line": line,
        "is_open": is_open,
        "may_assign": role_has(request.membership.role, "receipts:assign"),  # type: ignore[attr-defined]
        "guesses": suspense.guesses(suspense.Clue.of_line(line)) if is_open else [],
        "query": query,
        "found": _found(query) if is_open else [],
    }
    return render(request, "billing/statement_line.html", context)


@require_safe
@access.staff("billing:view")
def payment_panel(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Where the money of a payment went."""
    row = suspense.receipt_of_payment(payment_get(payment_id).id)
    return render(request, "billing/_payment_panel.html", {"receipt": row})


def _done(request: HttpRequest, receipt_id: UUID, said: str) -> HttpResponse:
    """Say it, count anew what waits, and show the receipt."""
    messages.success(request, said)
    counters.forget(request.tenant.id)  # type: ignore[attr-defined]
    return redirect("billing:receipt", receipt_id=receipt_id)


def _owner(request: HttpRequest) -> Customer:
    """The customer a form names. Raises NotFound, DomainError."""
    form = OwnerForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        raise DomainError("receipt.owner", _("Choose a customer first."))
    return customer_known(form.cleaned_data["customer"])


def _found(query: str) -> list[Customer]:
    return list(customers_found(query).order_by("name", "id")[:FOUND]) if query else []


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
