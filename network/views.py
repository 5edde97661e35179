"""Routers and lines, for staff."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.services import actor_of
from customers.selectors import customer_get
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from network import selectors
from network.forms import WallForm
from network.services import wall_hosts_set


@access.staff("routers:view")
def routers(request: HttpRequest) -> HttpResponse:
    """Every router and whether it answers."""
    return render(request, "network/router_list.html", {"routers": selectors.routers_all()})


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("routers:wall")
def wall(request: HttpRequest) -> HttpResponse:
    """What is reachable from behind the wall, and what is to be besides."""
    form = WallForm(request.POST or None, initial={"hosts": selectors.wall_settings().hosts})
    if request.method == "POST" and form.is_valid():
        try:
            actor = actor_of(request.user.id)  # type: ignore[arg-type]
            wall_hosts_set(hosts=form.cleaned_data["hosts"], actor=actor)
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


@access.staff("pppoe:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """A customer's lines and sessions, on his page."""
    context = {
        "customer": customer_get(customer_id),
        "lines": selectors.lines_of(customer_id),
        "sessions": selectors.sessions_of(customer_id),
    }
    return render(request, "network/_customer_panel.html", context)
