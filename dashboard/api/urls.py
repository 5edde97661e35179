"""Addresses of what spans apps. ``/clients`` is another name of ``/customers``, the one that is documented."""

from django.urls import URLPattern, path

from dashboard.api import customer_package, customer_parts, customers, document, why


def _customers(prefix: str, name: str) -> list[URLPattern]:
    one = f"{prefix}/<uuid:customer_id>"
    return [
        path(prefix, customers.Customers.as_view(), name=f"{name}s"),
        path(one, customers.CustomerOne.as_view(), name=name),
        path(f"{one}/restore", customers.Restore.as_view(), name=f"{name}_restore"),
        path(f"{one}/why", why.Why.as_view(), name=f"{name}_why"),
        path(f"{one}/subscriptions", customer_parts.Subscriptions.as_view(), name=f"{name}_subscriptions"),
        path(f"{one}/payments", customer_parts.Payments.as_view(), name=f"{name}_payments"),
        path(f"{one}/invoices", customer_parts.Invoices.as_view(), name=f"{name}_invoices"),
        path(f"{one}/sessions", customer_parts.Sessions.as_view(), name=f"{name}_sessions"),
        path(f"{one}/live-status", customer_parts.LiveStatus.as_view(), name=f"{name}_live_status"),
        path(f"{one}/recharge", customer_parts.Recharge.as_view(), name=f"{name}_recharge"),
        path(f"{one}/package", customer_package.CustomerPackage.as_view(), name=f"{name}_package"),
        path(f"{one}/hold", customer_parts.Hold.as_view(), name=f"{name}_hold"),
    ]


app_name = "api"
urlpatterns = [
    path("schema", document.Schema.as_view(), name="schema"),
    path("docs", document.docs, name="docs"),
    *_customers("customers", "customer"),
    *_customers("clients", "client"),
]
