"""The home page and its parts. Each part demands what it shows, and is only asked for by whoever may see it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard import home as parts
from dashboard.start_views import card_of
from ispbilling.kernel import access, clock


@require_safe
@never_cache
@access.staff("dashboard:view")
def home(request: HttpRequest) -> HttpResponse:
    """How the business stands now: the figures at once, the rest part by part."""
    granted = request.granted  # type: ignore[attr-defined]
    found = parts.parts_for(granted)
    is_part = request.GET.get("part") == "figures"
    context = {
        "figures": parts.figures(request.tenant, granted),  # type: ignore[attr-defined]
        "first_steps": None if is_part else card_of(request.tenant, granted),  # type: ignore[attr-defined]
        "wide": [part for part in found if part.is_wide],
        "narrow": [part for part in found if not part.is_wide],
        "may_add": "pppoe:add_user" in granted,
        "today": clock.today(request.tenant.zone_info).date(),  # type: ignore[attr-defined]
    }
    return render(request, "dashboard/home/_figures.html" if is_part else "dashboard/home/page.html", context)


@require_safe
@never_cache
@access.staff("billing:view")
def revenue(request: HttpRequest) -> HttpResponse:
    """Money of the last thirty days by method."""
    return _part(request, "revenue", parts.revenue(request.tenant, request.granted))  # type: ignore[attr-defined]


@require_safe
@never_cache
@access.staff("pppoe:view")
def sessions(request: HttpRequest) -> HttpResponse:
    """Who came online last."""
    return _part(request, "sessions", parts.sessions())


@require_safe
@never_cache
@access.staff("dashboard:view")
def alerts(request: HttpRequest) -> HttpResponse:
    """What is not in order."""
    return _part(request, "alerts", parts.alerts(request.tenant, request.granted))  # type: ignore[attr-defined]


@require_safe
@never_cache
@access.staff("cuts:view")
def cuts(request: HttpRequest) -> HttpResponse:
    """Who is cut tonight."""
    return _part(request, "cuts", parts.cuts())


@require_safe
@never_cache
@access.staff("billing:view")
def due(request: HttpRequest) -> HttpResponse:
    """Whose line runs out soon."""
    return _part(request, "due", parts.due())


@require_safe
@never_cache
@access.staff("billing:view")
def waits(request: HttpRequest) -> HttpResponse:
    """How long payers waited."""
    return _part(request, "waits", parts.waits())


def _part(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, f"dashboard/home/_{name}.html", context)
