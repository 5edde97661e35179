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

from accounts.services import actor_of
from customers.selectors import customer_get
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import DomainError
from network import selectors, services
from network.forms import WallForm
from network.models import DriftPolicy

#: Sessions of a router on its own page.
SHOWN = 8


@require_safe
@access.staff("routers:view")
def routers(request: HttpRequest) -> HttpResponse:
    """Every router, whether it answers, and what waits for it."""
    context = {
        "routers": selectors.router_rows(),
        "may_manage": "routers:manage" in request.granted,  # type: ignore[attr-defined]
    }
    return render(request, "network/router_list.html", context)


@require_safe
@access.staff("routers:view")
def router(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """One router: how it answers, which lines wait for it, and what hands changed on it."""
    found = selectors.router_get(router_id)
    drifts = selectors.drifts_of(router_id)
    granted = request.granted  # type: ignore[attr-defined]
    context = {
        "router": found,
        "row": selectors.router_row(found),
        "sessions": list(selectors.sessions_found("", router_id=router_id).order_by("-started_at", "-id")[:SHOWN]),
        "now": clock.machine_now(),
        "done": selectors.router_audit(router_id),
        "waiting": selectors.lines_waiting(router_id),
        "drifts": drifts,
        "left": sum(1 for drift in drifts if drift.outcome == drift.Outcome.OPEN),
        "policies": DriftPolicy.choices,
        "may_edit": "routers:edit" in granted,
        "may_manage": "routers:manage" in granted,
        "may_see_audit": "audit:view" in granted,
        "may_see_sessions": "pppoe:view" in granted,
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
        "lines": selectors.lines_with_sessions(customer_id),
        "sessions": selectors.sessions_of(customer_id),
        "now": clock.machine_now(),
        "may_act": "sessions:act" in request.granted,  # type: ignore[attr-defined]
    }
    return render(request, "network/_customer_panel.html", context)
