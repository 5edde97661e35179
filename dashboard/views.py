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

from accounts.permissions import role_has
from accounts.services import actor_of
from customers.selectors import customer_get, customers_found
from dashboard import selectors
from dashboard.forms import LineForm
from dashboard.proof import customer_proof
from dashboard.tables import CustomerTable
from ispbilling.kernel import access, clock, outbox, panels
from ispbilling.kernel import health as checks
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.paging import instant_of, page_of, search_term
from network.services import line_open
from network.wording import sentence


@access.staff("dashboard:view")
def home(request: HttpRequest) -> HttpResponse:
    """How the business stands now."""
    return render(request, "dashboard/home.html", {"figures": selectors.home_figures()})


@access.staff("customers:view")
def customers(request: HttpRequest) -> HttpResponse:
    """Customers, newest first, or those a search finds."""
    query = search_term(request)
    page = page_of(request, customers_found(query), by="created_at")
    table = CustomerTable(selectors.customer_rows(page.rows), zone=request.tenant.zone)  # type: ignore[attr-defined]
    return render(request, "dashboard/customer_list.html", {"page": page, "table": table, "query": query})


@access.staff("customers:view")
def customer(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Everything about one customer: each app's panel loads into its place."""
    row = customer_get(customer_id)
    role = request.membership.role  # type: ignore[attr-defined]
    context = {
        "customer": row,
        "phones": row.phones.order_by("-is_primary", "id"),
        "panels": [panel for panel in panels.panels_of("customer") if role_has(role, panel.permission)],
    }
    return render(request, "dashboard/customer_detail.html", context)


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


@access.staff("pppoe:add_user")
def line_add(request: HttpRequest) -> HttpResponse:
    """A new customer with a line."""
    form = LineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            line = line_open(
                name=form.cleaned_data["name"],
                phones=[form.cleaned_data["phone"]],
                package_id=UUID(form.cleaned_data["package"]),
                router_id=UUID(form.cleaned_data["router"]),
                username=form.cleaned_data["username"],
                actor=actor_of(request.user.id),  # type: ignore[arg-type]
            )
            messages.success(request, _("The line is open. It goes online when the first payment arrives."))
            return redirect("dashboard:customer", customer_id=line.customer_id)
        except DomainError as error:
            for field in error.fields or {}:
                if field in form.fields:
                    form.add_error(field, error.message)
            if not form.errors:
                form.add_error(None, error.message)
    return render(request, "dashboard/line_form.html", {"form": form}, status=422 if form.errors else 200)


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
