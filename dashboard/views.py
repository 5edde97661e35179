"""Staff pages that show several apps at once."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.services import actor_of
from dashboard.proof import customer_proof
from ispbilling.kernel import access, clock, outbox
from ispbilling.kernel import health as checks
from ispbilling.kernel.paging import instant_of, page_of
from network.wording import sentence


@require_safe
@never_cache
@access.staff("customers:view")
def customer_why(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Why a customer is off or on, and his timeline, on his page."""
    zone = request.tenant.zone_info  # type: ignore[attr-defined]
    before = instant_of(request.GET.get("before", ""))
    granted = request.granted  # type: ignore[attr-defined]
    found = customer_proof(customer_id, granted=granted, zone=zone, before=before)
    lines = [(one.username, sentence(one.answer, zone), one.answer.tone) for one in found.whole.living]
    here = reverse("dashboard:customer_why", args=[customer_id])
    following = f"{here}?{urlencode({'before': found.next_before.isoformat()})}" if found.next_before else ""
    context = {
        "customer": found.customer,
        "proof": found,
        "lines": lines if len(lines) > 1 else [],
        "older": following,
        "newest": here if before is not None else "",
    }
    return render(request, "dashboard/_customer_why.html", context)


@require_safe
@never_cache
@access.staff("health:view")
def health(request: HttpRequest) -> HttpResponse:
    """What runs, what is late, and what to do about it."""
    asked = checks.Asked(clock.machine_now(), request.tenant.zone_info)  # type: ignore[attr-defined]
    results = checks.results(asked)
    context = {"results": results, "worst": checks.worst(results), "at": asked.at}
    return render(request, "dashboard/health.html", context)


@access.staff("system:events")
def events(request: HttpRequest) -> HttpResponse:
    """Events that keep failing and wait for a person."""
    page = page_of(request, outbox.events_parked(), by="created_at")
    return render(request, "dashboard/event_list.html", {"page": page})


@require_POST
@access.staff("system:events")
def event_retry(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Put a parked event back into its queue."""
    outbox.event_retry(event_id=event_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    messages.success(request, _("The event is tried again."))
    return redirect("dashboard:events")
