"""Routers and lines, for staff."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from customers.selectors import customer_get
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from network import selectors, services
from network.forms import WallForm
from network.models import DriftPolicy


@require_safe
@access.staff("routers:view")
def routers(request: HttpRequest) -> HttpResponse:
    """Every router, whether it answers, and what waits for it."""
    waiting, drifts = selectors.waiting_counts(), selectors.drift_counts()
    rows = [(router, waiting.get(router.id, 0), drifts.get(router.id, 0)) for router in selectors.routers_all()]
    return render(request, "network/router_list.html", {"routers": rows})


@require_safe
@access.staff("routers:view")
def router(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """One router: how it answers, which lines wait for it, and what hands changed on it."""
    found = selectors.router_get(router_id)
    drifts = selectors.drifts_of(router_id)
    context = {
        "router": found,
        "is_resting": selectors.router_is_resting(router_id),
        "waiting": selectors.lines_waiting(router_id),
        "drifts": drifts,
        "left": sum(1 for drift in drifts if drift.outcome == drift.Outcome.OPEN),
        "policies": DriftPolicy.choices,
        "may_edit": role_has(request.membership.role, "routers:edit"),  # type: ignore[attr-defined]
    }
    return render(request, "network/router_detail.html", context)


@require_POST
@access.staff("routers:edit")
def router_drift_policy(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """What happens to rows of ours that somebody changes by hand."""
    services.router_drift_policy_set(
        router_id=router_id,
        policy=request.POST.get("policy", DriftPolicy.CORRECT),
        actor=actor_of(request.user.id),  # type: ignore[arg-type]
    )
    messages.success(request, _("The rule is kept. The router is looked at now."))
    return redirect("network:router", router_id=router_id)


@require_POST
@access.staff("routers:edit")
def router_drift_correct(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """Put right what was left as a hand changed it."""
    count = services.router_drift_correct(router_id=router_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    said = ngettext("%(n)d line is written again now.", "%(n)d lines are written again now.", count)
    messages.success(request, said % {"n": count})
    return redirect("network:router", router_id=router_id)


@require_POST
@access.staff("routers:edit")
def router_try(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """Speak to a router now, whatever it is resting from."""
    services.router_try(router_id=router_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    messages.success(request, _("The router is asked now. Load this page again in a few seconds."))
    return redirect("network:router", router_id=router_id)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("routers:wall")
def wall(request: HttpRequest) -> HttpResponse:
    """What is reachable from behind the wall, and what is to be besides."""
    form = WallForm(request.POST or None, initial={"hosts": selectors.wall_settings().hosts})
    if request.method == "POST" and form.is_valid():
        try:
            actor = actor_of(request.user.id)  # type: ignore[arg-type]
            services.wall_hosts_set(hosts=form.cleaned_data["hosts"], actor=actor)
            messages.success(request, _("The routers are told within seconds."))
            return redirect("network:wall")
        except DomainError as error:
            form.add_error("hosts", error.message)
    context = {
        "form": form,
        "destinations": sorted(selectors.wall_destinations()),
        "page": settings.WALL_PAGE_ADDRESS,
        "troubled": [router for router in selectors.routers_all() if router.wall_error],
    }
    return render(request, "network/wall.html", context)


@require_safe
@access.staff("pppoe:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """A customer's lines and sessions, on his page."""
    context = {
        "customer": customer_get(customer_id),
        "lines": selectors.lines_of(customer_id),
        "sessions": selectors.sessions_of(customer_id),
    }
    return render(request, "network/_customer_panel.html", context)
