"""Subscriptions, for staff: who has what until when, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from billing import papers, selectors, services
from billing.models import Subscription
from billing.subscription_forms import (
    RENEWAL,
    EndForm,
    ExpiryForm,
    ExtendForm,
    PackageChangeForm,
    SubscriptionFilter,
)
from customers.selectors import customer_get
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.paging import page_of
from packages.selectors import package_get, packages_all, packages_on_sale


def _actor(request: HttpRequest) -> str:
    return actor_of(request.user.id)  # type: ignore[arg-type]


@require_safe
@access.staff("billing:view")
def subscriptions(request: HttpRequest) -> HttpResponse:
    """All subscriptions, newest first, narrowed by state, package, end and customer."""
    form = SubscriptionFilter(request.GET or None, packages=packages_all())
    asked = form.cleaned_data if form.is_valid() else {}
    days = asked.get("expires_in")
    rows = papers.subscriptions_found(
        state=asked.get("state", ""),
        package_id=UUID(asked["package"]) if asked.get("package") else None,
        expires_before=clock.now() + timedelta(days=days) if days is not None else None,
        query=asked.get("q", ""),
    )
    context = {"form": form, "page": page_of(request, rows, by="created_at"), "is_narrowed": any(asked.values())}
    return render(request, "billing/subscription_list.html", context)


@require_safe
@access.staff("billing:view")
def subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """One of them, with what was sold to it."""
    return render(request, "billing/subscription_detail.html", _context(request, subscription_id))


def _context(request: HttpRequest, subscription_id: UUID, **bound: forms.Form) -> dict[str, Any]:
    found, rules = selectors.subscription_get(subscription_id), selectors.rules_current()
    membership: Any = request.membership  # type: ignore[attr-defined]
    return {
        "subscription": found,
        "customer": customer_get(found.customer_id),
        "entitlement": selectors.entitlement_now(found, rules),
        "price": rules.price_of(found.package_to_buy),
        "wallet": selectors.wallet_of(found.customer_id, rules.tenant.currency),
        "history": papers.subscription_history(found.id),
        "may_edit": role_has(membership.role, "billing:edit") and found.state != Subscription.State.ENDED,
        "may_see_invoices": role_has(membership.role, "invoices:view"),
        "extend_form": bound.get("extend", ExtendForm(auto_id="extend_%s")),
        "expiry_form": bound.get("expiry", ExpiryForm(auto_id="expiry_%s")),
        "end_form": bound.get("end", EndForm(auto_id="end_%s")),
    }


def _act(
    request: HttpRequest, subscription_id: UUID, name: str, form: forms.Form, act: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """One action of the page: what was typed wrong, or what the rules refuse, is shown at its form."""
    if form.is_valid():
        try:
            said = act(form.cleaned_data)
        except DomainError as error:
            if error.status == 404:
                raise
            form.add_error(None, error.message)
        else:
            messages.success(request, said)
            return redirect("billing:subscription", subscription_id=subscription_id)
    context = {**_context(request, subscription_id, **{name: form}), "open": name}
    return render(request, "billing/subscription_detail.html", context, status=422)


@require_POST
@access.staff("billing:edit")
def subscription_extend(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Give days."""

    def act(data: dict[str, Any]) -> str:
        services.subscription_extend(subscription_id=subscription_id, **data, actor=_actor(request))
        return _("The days are given.")

    return _act(request, subscription_id, "extend", ExtendForm(request.POST, auto_id="extend_%s"), act)


@require_POST
@access.staff("billing:edit")
def subscription_expiry(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Set the end: the last moment of a day, or a minute of it."""

    def act(data: dict[str, Any]) -> str:
        zone = request.tenant.zone_info  # type: ignore[attr-defined]
        day, minute = data["day"], data["at"]
        last = datetime.combine(day, minute) if minute else datetime.combine(day + timedelta(days=1), time())
        services.subscription_expiry_set(
            subscription_id=subscription_id,
            expires_at=last.replace(tzinfo=zone),
            reason=data["reason"],
            actor=_actor(request),
        )
        return _("The end is set.")

    return _act(request, subscription_id, "expiry", ExpiryForm(request.POST, auto_id="expiry_%s"), act)


@require_POST
@access.staff("billing:edit")
def subscription_end(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """End it for good."""

    def act(data: dict[str, Any]) -> str:
        services.subscription_end(subscription_id=subscription_id, **data, actor=_actor(request))
        return _("The subscription has ended. Its line is blocked.")

    return _act(request, subscription_id, "end", EndForm(request.POST, auto_id="end_%s"), act)


@require_POST
@access.staff("billing:edit")
def subscription_stop(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Block all lines of its customer, whatever is paid, or let them be again what they are paid to be."""
    found = selectors.subscription_get(subscription_id)
    if request.POST.get("action") == "go_on":
        services.subscriptions_go_on(customer_id=found.customer_id, actor=_actor(request))
        messages.success(request, _("The lines of this customer are as they are paid for."))
    else:
        services.subscriptions_stop(customer_id=found.customer_id, actor=_actor(request))
        messages.success(request, _("The lines of this customer are blocked."))
    return redirect("billing:subscription", subscription_id=found.id)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("billing:edit")
def subscription_package(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Change the package: choose and look at what it comes to (GET), then have exactly that booked (POST)."""
    found = selectors.subscription_get(subscription_id)
    if request.POST.get("action") == "keep":
        services.package_change_cancel(subscription_id=found.id, actor=_actor(request))
        messages.success(request, _("The package stays as it is."))
        return redirect("billing:subscription", subscription_id=found.id)
    packages = packages_on_sale().exclude(id=found.package_id)
    data = request.POST if request.method == "POST" else request.GET or None
    form = PackageChangeForm(data, packages=packages)
    context: dict[str, Any] = {"subscription": found, "customer": customer_get(found.customer_id), "form": form}
    if data is None or not form.is_valid():
        return render(request, "billing/package_change.html", context, status=422 if form.errors else 200)
    package_id, into = UUID(form.cleaned_data["package"]), form.cleaned_data["into"]
    try:
        if request.method == "POST":
            _change(request, found, package_id, into, form.cleaned_data["seen"])
            messages.success(request, _("The package is changed."))
            return redirect("billing:subscription", subscription_id=found.id)
        if into == RENEWAL:
            package = package_get(package_id)
            context["next"] = {"package": package, "price": selectors.rules_current().price_of(package)}
        else:
            context["change"] = services.package_change_preview(
                subscription_id=found.id, package_id=package_id, into=into
            )
    except DomainError as error:
        form.add_error(None, error.message)
    return render(request, "billing/package_change.html", context, status=422 if form.errors else 200)


def _change(request: HttpRequest, found: Subscription, package_id: UUID, into: str, seen: str) -> None:
    if into == RENEWAL:
        services.package_change_schedule(subscription_id=found.id, package_id=package_id, actor=_actor(request))
    else:
        services.package_change(
            subscription_id=found.id, package_id=package_id, into=into, seen=seen, actor=_actor(request)
        )
