"""The first steps of a new provider: what is done, what comes next, and where; and its card on the home page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.services import actor_of, tenant_first_steps_set
from dashboard.selectors import FirstSteps, first_steps_for
from ispbilling.kernel import access

#: Who sets the business up also says whether the home page leads through it.
LEADS = "settings:business"


@require_safe
@never_cache
@access.staff("dashboard:view")
def start(request: HttpRequest) -> HttpResponse:
    """All steps, ticked as they are done."""
    granted = request.granted  # type: ignore[attr-defined]
    context = {"first_steps": first_steps_for(granted), "may_lead": LEADS in granted}
    return render(request, "dashboard/start.html", context)


@require_POST
@access.staff(LEADS)
def card(request: HttpRequest) -> HttpResponse:
    """Take the card off the home page, or put it back (``show``)."""
    is_shown = bool(request.POST.get("show"))
    tenant_first_steps_set(is_shown=is_shown, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    if is_shown:
        messages.success(request, _("The first steps are on the home page again."))
    else:
        messages.success(request, _("The first steps are off the home page. Search for “First steps” to find them."))
    return redirect("dashboard:home")


def card_of(tenant: Any, granted: frozenset[str]) -> FirstSteps | None:
    """The steps for the home page of whoever leads: None when they are done or were taken off."""
    if not tenant.has_first_steps or LEADS not in granted:
        return None
    steps = first_steps_for(granted)
    return None if steps.is_complete else steps
