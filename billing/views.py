"""A customer's money, and who is cut when, for staff."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import role_has
from accounts.selectors import tenant_current
from accounts.services import actor_of
from billing import selectors, services
from billing.forms import HoldForm
from customers.selectors import customer_get
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import DomainError

TONIGHT = timedelta(hours=24)


@require_safe
@access.staff("billing:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Subscriptions, wallet, invoices and receipts, on the customer's page."""
    customer = customer_get(customer_id)
    rules = selectors.rules_current()
    rows = selectors.subscriptions_of(customer_id)
    held = next((row for row in rows if row.held_until is not None), None)
    context = {
        "customer": customer,
        "subscriptions": [(row, selectors.entitlement_now(row, rules)) for row in rows],
        "held": held,
        "hold_form": HoldForm(auto_id="hold_%s"),
        "may_hold": rows and role_has(request.membership.role, "cuts:hold"),  # type: ignore[attr-defined]
        "may_record": customer.deleted_at is None and role_has(request.membership.role, "finance:income_create"),  # type: ignore[attr-defined]
        "wallet": selectors.wallet_of(customer_id, rules.tenant.currency),
        "invoices": selectors.invoices_of(customer_id)[:10],
        "receipts": selectors.receipts_of(customer_id)[:10],
    }
    return render(request, "billing/_customer_panel.html", context)


@require_POST
@access.staff("cuts:hold")
def customer_hold(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Keep a customer online until the end of a day, or no longer."""
    customer = customer_get(customer_id)
    form = HoldForm(request.POST)
    if not form.is_valid():
        raise DomainError("hold.until", _("That is not a day."))
    day, zone = form.cleaned_data["until"], tenant_current().zone_info
    until = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone) if day else None
    services.customer_hold(
        customer_id=customer.id,
        until=until,
        reason=form.cleaned_data["reason"],
        actor=actor_of(request.user.id),  # type: ignore[arg-type]
    )
    said = _("The line is kept until the end of that day.") if until else _("The line is not kept any more.")
    messages.success(request, said)
    return redirect("dashboard:customer", customer_id=customer.id)


@require_safe
@access.staff("cuts:view")
def cuts(request: HttpRequest) -> HttpResponse:
    """Whom the coming night would cut, and what keeps everybody online."""
    rules = selectors.Rules(request.tenant, selectors.policy_current())  # type: ignore[attr-defined]
    coming, has_more = selectors.cuts_coming(rules=rules, within=TONIGHT)
    stops = selectors.cut_stops_recent()
    context = {
        "coming": coming,
        "has_more": has_more,
        "stops": [stop for stop in stops if stop.released_at is None],
        "now": clock.now(),
        "past": [stop for stop in stops if stop.released_at is not None],
        "policy": rules.policy,
        "may_release": role_has(request.membership.role, "cuts:release"),  # type: ignore[attr-defined]
    }
    return render(request, "billing/cuts.html", context)


@require_POST
@access.staff("cuts:release")
def cuts_release(request: HttpRequest, stop_id: UUID) -> HttpResponse:
    """The word that lets stopped cuts go on."""
    stop = services.cuts_release(stop_id=stop_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    if stop.would_cut:
        said = ngettext("%(n)d cut goes on now.", "%(n)d cuts go on now.", stop.would_cut) % {"n": stop.would_cut}
    else:
        said = _("The cuts go on now.")
    messages.success(request, said)
    return redirect("billing:cuts")
