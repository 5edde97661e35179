"""For staff: what the portal lets people do, and who asked for a line that no router could be chosen for."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.paging import page_of
from network.selectors import routers_all
from portal import selectors, services
from portal.forms import LeadForm, PortalSettingsForm


def _routers() -> list[tuple[str, str]]:
    return [(str(row.id), row.name) for row in routers_all()]


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("settings:business")
def portal_settings(request: HttpRequest) -> HttpResponse:
    """Whether people can sign up by themselves, and where their lines are made."""
    row = selectors.settings_current()
    initial = {"is_sign_up_open": row.is_sign_up_open, "router": str(row.sign_up_router_id or "")}
    form = PortalSettingsForm(request.POST or None, routers=_routers(), initial=initial)
    if request.method == "POST" and form.is_valid():
        router = form.cleaned_data["router"]
        services.settings_set(
            is_sign_up_open=form.cleaned_data["is_sign_up_open"],
            router_id=UUID(router) if router else None,
            actor=actor_of(request.user.id),  # type: ignore[arg-type]
        )
        messages.success(request, _("The settings are kept."))
        return redirect("portal_staff:settings")
    context = {"form": form, "address": request.build_absolute_uri(reverse("portal:home"))}
    return render(request, "portal/staff/settings.html", context, status=422 if form.errors else 200)


@require_safe
@access.staff("pppoe:add_user")
def lead_list(request: HttpRequest) -> HttpResponse:
    """Who asked for a line, newest first."""
    page = page_of(request, selectors.leads_all(), by="created_at")
    context = {"page": page, "form": LeadForm(routers=_routers(), auto_id=False)}
    return render(request, "portal/staff/leads.html", context)


@require_POST
@access.staff("pppoe:add_user")
def lead(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Open the line, or drop the request."""
    actor = actor_of(request.user.id)  # type: ignore[arg-type]
    if not selectors.leads_all().filter(id=lead_id).exists():
        raise NotFound("lead.unknown", "There is no such request.")
    if request.POST.get("action") == "drop":
        services.lead_drop(lead_id=lead_id, actor=actor)
        messages.success(request, _("The request is dropped."))
        return redirect("portal_staff:leads")
    form = LeadForm(request.POST, routers=_routers())
    if not form.is_valid() and request.POST.get("router"):
        raise NotFound("router.unknown", "There is no such router.")
    if not form.is_valid():
        raise DomainError("lead.router", _("Please choose a router for the line."))
    try:
        line = services.lead_accept(lead_id=lead_id, router_id=UUID(form.cleaned_data["router"]), actor=actor)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("portal_staff:leads")
    messages.success(request, _("The line is open. It goes online when the first payment arrives."))
    return redirect("dashboard:customer", customer_id=line.customer_id)
