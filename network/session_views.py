"""Who is online, who was, and ending a session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.services import actor_of
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.paging import page_of
from network import selectors, services
from network.forms import SessionFilter


@require_safe
@never_cache
@access.staff("pppoe:view")
def sessions(request: HttpRequest) -> HttpResponse:
    """Who is online now, newest first."""
    return _list(request, is_open=True)


@require_safe
@never_cache
@access.staff("pppoe:view")
def sessions_ended(request: HttpRequest) -> HttpResponse:
    """Who was online, and why he is not any more."""
    return _list(request, is_open=False)


def _list(request: HttpRequest, *, is_open: bool) -> HttpResponse:
    form = SessionFilter(request.GET, routers=selectors.routers_all())
    asked = form.cleaned_data if form.is_valid() else {}
    router = UUID(asked["router"]) if asked.get("router") else None
    query = (asked.get("q") or "").strip()
    rows = selectors.sessions_found(query, router_id=router, is_open=is_open)
    page = page_of(request, rows, by="started_at" if is_open else "stopped_at", size=50)
    context = {
        "form": form,
        "page": page,
        "is_open": is_open,
        "is_filtered": bool(query or router),
        "online": selectors.online_count(),
        "now": clock.machine_now(),
        "may_act": "sessions:act" in request.granted,  # type: ignore[attr-defined]
    }
    return render(request, "network/session_list.html", context)


@require_POST
@access.staff("sessions:act")
def session_end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Have a session end and dial again."""
    session = selectors.session_get(session_id)
    try:
        services.line_redial(
            line_id=session.line_id, actor=_actor(request), reason=request.POST.get("reason", "")[:160]
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The session ends within seconds, and the box dials again."))
    return _back(request, session.line.customer_id)


@require_POST
@access.staff("sessions:act")
def line_ask(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Ask the line's router now."""
    try:
        line = services.line_ask(line_id=line_id)
    except DomainError as error:
        if error.code != "auth.locked":
            raise
        messages.error(request, error.message)
        line = selectors.line_get(line_id)
    else:
        messages.success(request, _("The router is asked now. The page shows its answer when it comes."))
    return redirect("dashboard:customer", customer_id=line.customer_id)


def _back(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    if request.POST.get("from") == "customer":
        return redirect("dashboard:customer", customer_id=customer_id)
    return redirect("network:sessions")


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
