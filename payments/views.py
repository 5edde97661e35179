"""Payments, for staff."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ispbilling.kernel import access
from ispbilling.kernel.paging import page_of
from payments import selectors


@access.staff("billing:view")
def payments(request: HttpRequest) -> HttpResponse:
    """Every payment, newest first."""
    page = page_of(request, selectors.payments_recent(), by="created_at")
    return render(request, "payments/payment_list.html", {"page": page})
