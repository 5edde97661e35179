"""A customer's money, for staff."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.selectors import tenant_current
from billing import selectors
from customers.selectors import customer_get
from ispbilling.kernel import access


@access.staff("billing:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Subscriptions, wallet, invoices and receipts, on the customer's page."""
    customer = customer_get(customer_id)
    context = {
        "customer": customer,
        "subscriptions": [(row, selectors.entitlement_now(row)) for row in selectors.subscriptions_of(customer_id)],
        "wallet": selectors.wallet_of(customer_id, tenant_current().currency),
        "invoices": selectors.invoices_of(customer_id)[:10],
        "receipts": selectors.receipts_of(customer_id)[:10],
    }
    return render(request, "billing/_customer_panel.html", context)
