"""Money over the counter or by bank, typed in by staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.services import actor_of
from billing import services
from billing.forms import CashForm
from billing.models import Receipt
from customers.selectors import customer_known
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("finance:income_create")
def cash(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Record what a customer paid in cash or by bank: first what it will renew, then the booking, once."""
    customer = customer_known(customer_id)
    form = CashForm(request.POST if request.method == "POST" else None, initial={"key": uuid4().hex})
    user: Any = request.user
    context: dict[str, Any] = {"customer": customer, "form": form}
    if request.method == "POST" and form.is_valid():
        amount, note = form.cleaned_data["amount"], form.note

        def work(key: str = "") -> Receipt:
            return services.cash_receive(
                customer_id=customer.id,
                amount=amount,
                description=note,
                key=key or uuid4().hex,
                actor=actor_of(user.id),
            )

        try:
            if request.POST.get("action") == "book":
                work(form.cleaned_data["key"])
                messages.success(request, _("The payment is booked."))
                return redirect("dashboard:customer", customer_id=customer.id)
            context["effect"] = services.effect_of(customer_id=customer.id, work=work)
        except DomainError as error:
            form.add_error("amount" if error.code == "cash.amount" else None, error.message)
    return render(request, "billing/cash.html", context, status=422 if form.errors else 200)
