"""Who the subscriber at the door is. Customers are not Django users: the session names a customer of the tenant."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import Login
from customers.models import Customer
from customers.selectors import customers_known
from ispbilling.kernel import access, api

SESSION_KEY = "portal_customer"


def sign_in(request: HttpRequest, customer: Customer) -> None:
    """Begin a session for this customer, with a new key so that an old cookie is worth nothing."""
    request.session.flush()
    request.session[SESSION_KEY] = [str(customer.tenant_id), str(customer.id)]


def sign_out(request: HttpRequest) -> None:
    request.session.flush()


def customer_of(request: HttpRequest) -> Customer | None:
    """The signed-in customer: by his token, or by his session if he belongs to the tenant of this host."""
    caller = getattr(request, "caller", None)
    if caller is not None:
        rows = customers_known() if caller.kind == Login.Kind.CUSTOMER else Customer.objects.none()
        known: Customer | None = rows.filter(id=caller.subject_id).first()
        return known
    found = request.session.get(SESSION_KEY)
    tenant = getattr(request, "tenant", None)
    if not found or tenant is None or found[0] != str(tenant.id):
        return None
    customer: Customer | None = customers_known().filter(id=UUID(found[1])).first()
    return customer


@access.guard(access.Audience.CUSTOMER)
def customer_guard(request: HttpRequest, _rule: access.Rule) -> HttpResponseBase | None:
    with transaction.atomic():
        customer = customer_of(request) if getattr(request, "tenant", None) is not None else None
    if customer is None and api.is_asked(request):
        return api.unauthenticated("auth.required", _("Please sign in."))
    if customer is None:
        return redirect("portal:sign_in")
    request.customer = customer  # type: ignore[attr-defined]
    return None


def no_tenant(request: HttpRequest) -> HttpResponseBase:
    """The page for a host name that belongs to nobody."""
    context = {"title": _("Nobody lives here"), "message": _("This address belongs to no provider.")}
    return render(request, "components/problem.html", context, status=404)
