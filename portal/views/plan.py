"""Another package: what it would come to, and the change itself, now or when the paid time is over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing.models import Subscription
from billing.selectors import rules_current, subscriptions_of
from billing.services import package_change, package_change_cancel, package_change_preview, package_change_schedule
from customers.models import Customer
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, NotFound
from packages.models import Package
from packages.selectors import packages_on_sale
from portal.forms import PlanForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.customer()
def plan(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Choose: first what it comes to is shown, then, with the preview's own words sent back, it is done."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    subscription = _own(customer, subscription_id)
    others = [row for row in packages_on_sale() if row.id != subscription.package_id]
    choices = [(str(row.id), row.name) for row in others]
    form = PlanForm(request.POST or None, packages=choices, initial={"package": choices[0][0] if choices else None})
    rules = rules_current()
    context: dict[str, Any] = {
        "subscription": subscription,
        "price": rules.price_of(subscription.package),
        "packages": [(row, rules.price_of(row)) for row in others],
        "form": form,
        "preview": None,
    }
    if request.method == "POST" and form.is_valid():
        try:
            if form.cleaned_data["seen"] or form.cleaned_data["sure"]:
                _change(customer, subscription, form)
                messages.success(request, _("Your internet is changed."))
                return redirect("portal:home")
            context |= _preview(subscription, form, others)
        except DomainError as error:
            form.add_error(None, error.message)
    return render(request, "portal/plan.html", context, status=422 if form.errors else 200)


def _preview(subscription: Subscription, form: PlanForm, others: list[Package]) -> dict[str, Any]:
    wanted = UUID(form.cleaned_data["package"])
    package = next(row for row in others if row.id == wanted)
    if form.cleaned_data["when"] == "next":
        return {"is_preview": True, "package": package, "new_price": rules_current().price_of(package)}
    change = package_change_preview(subscription_id=subscription.id, package_id=wanted)
    return {"is_preview": True, "package": package, "preview": change}


def _change(customer: Customer, subscription: Subscription, form: PlanForm) -> None:
    wanted, actor = UUID(form.cleaned_data["package"]), f"customer:{customer.id}"
    if form.cleaned_data["when"] == "next":
        package_change_schedule(subscription_id=subscription.id, package_id=wanted, actor=actor)
    else:
        seen = form.cleaned_data["seen"]
        package_change(subscription_id=subscription.id, package_id=wanted, seen=seen, actor=actor)


@require_POST
@access.customer()
def plan_keep(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Take an ordered change back."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    subscription = _own(customer, subscription_id)
    try:
        package_change_cancel(subscription_id=subscription.id, actor=f"customer:{customer.id}")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Your internet stays as it is."))
    return redirect("portal:plan", subscription_id=subscription.id)


def _own(customer: Customer, subscription_id: UUID) -> Subscription:
    found = next((row for row in subscriptions_of(customer.id) if row.id == subscription_id), None)
    if found is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    return found
