"""Who the subscriber at the door is. Customers are not Django users: the session names a customer of the tenant."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Login, Tenant
from customers.models import Customer
from customers.selectors import customers_known
from ispbilling.kernel import access, api, clock
from portal.selectors import customers_signed_in
from portal.services import sign_in_begin, sign_in_seen

SESSION_KEY = "portal_customer"
#: Until when (seconds of machine time) whoever has the session has shown that he has the customer's telephone.
CONFIRMED_KEY = "portal_confirmed"
CONFIRMED_S = 600


def sign_in(request: HttpRequest, customer: Customer) -> None:
    """Begin a session for this customer, with a new key so that an old cookie is worth nothing."""
    request.session.flush()
    request.session[SESSION_KEY] = [str(customer.tenant_key), str(customer.id)]
    request.session.create()
    agent = request.headers.get("User-Agent", "")
    sign_in_begin(customer=customer, session_key=request.session.session_key or "", agent=agent)


def sign_out(request: HttpRequest) -> None:
    request.session.flush()


def confirm(request: HttpRequest) -> None:
    """He has just shown that he has the telephone."""
    request.session[CONFIRMED_KEY] = clock.machine_now().timestamp() + CONFIRMED_S


def is_confirmed(request: HttpRequest) -> bool:
    until: float = request.session.get(CONFIRMED_KEY, 0)
    return 0 <= until - clock.machine_now().timestamp() <= CONFIRMED_S


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
    session_key = request.session.session_key or ""
    customer: Customer | None = customers_signed_in(session_key).filter(id=UUID(found[1])).first()
    if customer is not None:
        sign_in_seen(session_key=session_key, seen_at=getattr(customer, "seen_at", None))
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
    if not api.is_asked(request):
        _speak(request, customer, request.tenant)  # type: ignore[attr-defined]
    return None


def _speak(request: HttpRequest, customer: Customer, tenant: Tenant) -> None:
    """What this browser was told; else his own language; else the tenant's."""
    known = dict(settings.LANGUAGES)
    told = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    wanted = told if told in known else customer.language or tenant.language
    if wanted in known:
        translation.activate(wanted)
        request.LANGUAGE_CODE = translation.get_language()


def no_tenant(request: HttpRequest) -> HttpResponseBase:
    """The page for a host name that belongs to nobody."""
    context = {"title": _("Nobody lives here"), "message": _("This address belongs to no provider.")}
    return render(request, "components/problem.html", context, status=404)
