"""The trends page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard import trends as page
from ispbilling.kernel import access


@require_safe
@access.staff("trends:view")
def trends(request: HttpRequest) -> HttpResponse:
    """How money, customers and the network go over weeks and months."""
    span = page.span_of(request.GET.get("span", ""))
    context = page.context(request.tenant, request.granted, span)  # type: ignore[attr-defined]
    return render(request, "dashboard/trends.html", context)
