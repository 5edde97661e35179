"""The door: a telephone with its code, or a name with the line's password; and out again."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import Customer
from customers.selectors import customer_known
from ispbilling.kernel import access
from ispbilling.kernel.errors import Conflict, DomainError, NotFound, TooMany
from ispbilling.kernel.middleware import client_address
from ispbilling.kernel.phone import local
from portal import auth, services
from portal.forms import CodeForm, PasswordForm, PhoneForm
from portal.selectors import settings_current

PHONE_KEY, OWNERS_KEY = "portal_phone", "portal_owners"


def let_in(request: HttpRequest, owners: list[Customer]) -> None:
    """Begin the session of the first; he may change to the others, who have the same telephone."""
    auth.sign_in(request, owners[0])
    request.session[OWNERS_KEY] = [str(owner.id) for owner in owners]


def status_of(error: DomainError) -> int:
    """Of a form that was refused: 429 says that waiting helps."""
    return error.status if isinstance(error, TooMany) else 422


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.public("this is the customers' door")
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for the telephone, send a code."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    form = PhoneForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        limits = services.code_limits(address=client_address(request), is_customers_page=True)
        try:
            services.tries_take(limits=limits)
            request.session[PHONE_KEY] = services.code_send(typed_phone=form.cleaned_data["phone"])
            return redirect("portal:sign_in_code")
        except DomainError as error:
            form.add_error("phone", error.message)
            status = status_of(error)
    with transaction.atomic():
        is_open = settings_current().is_sign_up_open
    context = {"form": form, "is_sign_up_open": is_open}
    return render(request, "portal/sign_in.html", context, status=max(status, 422) if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.public("the second step of signing in")
def sign_in_code(request: HttpRequest) -> HttpResponseBase:
    """Take the code."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    number = request.session.get(PHONE_KEY)
    if not number:
        return redirect("portal:sign_in")
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        # Of one name from one address nothing is counted: each code has its own five guesses.
        limits = services.guess_limits(name=number, address=client_address(request))[1:]
        try:
            services.tries_take(limits=limits)
            owners = services.code_check(number=number, code=form.cleaned_data["code"])
            services.tries_give_back(limits=limits)
            let_in(request, owners)
            return redirect("portal:home")
        except DomainError as error:
            form.add_error("code", error.message)
            status = status_of(error)
    context = {"form": form, "number": local(number)}
    return render(request, "portal/sign_in_code.html", context, status=max(status, 422) if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.public("the customers' door, for whoever knows the password of his line")
def sign_in_password(request: HttpRequest) -> HttpResponseBase:
    """Take a name and the password of the line."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    form = PasswordForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        limits = services.guess_limits(name=name, address=client_address(request))
        try:
            services.tries_take(limits=limits)
            customer = services.customer_prove(
                tenant=request.tenant,  # type: ignore[attr-defined]
                name=name,
                password=form.cleaned_data["password"],
            )
            if customer is not None:
                services.tries_give_back(limits=limits)
                services.sign_in_record(customer=customer)
                let_in(request, [customer])
                return redirect("portal:home")
            form.add_error(None, _("Name and password do not fit together."))
        except (TooMany, Conflict) as error:
            form.add_error(None, error.message)
            status = status_of(error)
    context = {"form": form}
    return render(request, "portal/sign_in_password.html", context, status=max(status, 422) if form.errors else 200)


@require_POST
@access.public("ends a session")
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.sign_out(request)
    return redirect("portal:sign_in")


@require_POST
@access.customer()
def switch(request: HttpRequest) -> HttpResponse:
    """Another customer with the same telephone: a landlord with three flats."""
    owners = request.session.get(OWNERS_KEY, [])
    wanted = request.POST.get("customer", "")
    if wanted not in owners:
        raise NotFound("customer.unknown", "There is no such customer.")
    auth.sign_in(request, customer_known(UUID(wanted)))
    request.session[OWNERS_KEY] = owners
    return redirect("portal:home")
