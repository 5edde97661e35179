"""What belongs to the shell and not to a page: the command palette's search, and the guide of all components."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from customers.selectors import customers_found
from dashboard import samples
from ispbilling.kernel import access
from ispbilling.kernel.paging import search_term

FOUND = 8  # customers the palette shows: whoever is not among them is found by one more letter
SHORTEST = 2  # letters before it is searched


@require_safe
@never_cache
@access.staff("customers:view")
def palette(request: HttpRequest) -> HttpResponse:
    """Customers a few letters find, as options of the command palette."""
    query = search_term(request)
    found = customers_found(query).order_by("-created_at", "-id")[:FOUND] if len(query) >= SHORTEST else []
    return render(request, "dashboard/_palette_found.html", {"customers": found})


@require_safe
@access.staff("dashboard:view")
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every tone and state, with the line that includes it."""
    context = {"form": samples.SampleForm(data=request.GET or None), **samples.everything()}
    return render(request, "dashboard/styleguide.html", context)
