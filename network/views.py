"""Routers and lines, for staff."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.selectors import customer_get
from ispbilling.kernel import access
from network import selectors


@access.staff("routers:view")
def routers(request: HttpRequest) -> HttpResponse:
    """Every router and whether it answers."""
    return render(request, "network/router_list.html", {"routers": selectors.routers_all()})


@access.staff("pppoe:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """A customer's lines and sessions, on his page."""
    context = {
        "customer": customer_get(customer_id),
        "lines": selectors.lines_of(customer_id),
        "sessions": selectors.sessions_of(customer_id),
    }
    return render(request, "network/_customer_panel.html", context)
