"""Messages, for staff."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.selectors import customer_get
from ispbilling.kernel import access
from ispbilling.kernel.paging import page_of
from sms import selectors


@access.staff("messages:view")
def messages(request: HttpRequest) -> HttpResponse:
    """Every message, newest first."""
    return render(
        request, "sms/message_list.html", {"page": page_of(request, selectors.messages_recent(), by="created_at")}
    )


@access.staff("messages:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """A customer's messages, on his page."""
    customer_get(customer_id)
    return render(request, "sms/_customer_panel.html", {"rows": selectors.messages_of(customer_id)})
