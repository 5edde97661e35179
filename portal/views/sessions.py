"""When one was online, and how much was used, as far as the network keeps it."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ispbilling.kernel import access, clock
from ispbilling.kernel.paging import page_of
from network.selectors import sessions_all_of, usage_since


@never_cache
@require_safe
@access.customer()
def session_list(request: HttpRequest) -> HttpResponse:
    """Newest first, and above them what the last day and the last thirty used."""
    customer = request.customer  # type: ignore[attr-defined]
    now = clock.machine_now()
    context = {
        "page": page_of(request, sessions_all_of(customer.id), by="started_at", size=20),
        "day": usage_since(customer.id, now - timedelta(days=1)),
        "month": usage_since(customer.id, now - timedelta(days=30)),
    }
    return render(request, "portal/sessions.html", context)
