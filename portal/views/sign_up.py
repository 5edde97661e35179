"""Becoming a subscriber: telephone, code, name and package; then a line, or a call of staff."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing.selectors import rules_current
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.middleware import client_address
from ispbilling.kernel.phone import local
from network.selectors import lines_of
from packages.selectors import packages_on_sale
from portal import auth, services
from portal.forms import CodeForm, PhoneForm, SignUpForm
from portal.selectors import settings_current
from portal.views.entrance import let_in, status_of

#: The number typed; the number proven and until when that counts (seconds of machine time); the line just made.
NUMBER_KEY, PROVEN_KEY, LINE_KEY = "portal_sign_up", "portal_proven", "portal_new_line"
PROVEN_S = 3600


def _refused(request: HttpRequest) -> HttpResponseBase | None:
    """Nobody's address, or a tenant that enters its customers itself."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    with transaction.atomic():
        is_open = settings_current().is_sign_up_open
    return None if is_open else render(request, "portal/sign_up_closed.html", status=404)


def _proven(request: HttpRequest) -> str:
    number, until = request.session.get(PROVEN_KEY, ("", 0))
    return number if 0 <= until - clock.machine_now().timestamp() <= PROVEN_S else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.public("whoever becomes a customer is nobody yet")
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Ask for the telephone, send a code."""
    refused = _refused(request)
    if refused is not None:
        return refused
    form = PhoneForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.tries_take(limits=services.code_limits(address=client_address(request)))
            number = services.code_send(typed_phone=form.cleaned_data["phone"], is_registration=True)
            request.session[NUMBER_KEY] = number
            return redirect("portal:sign_up_code")
        except DomainError as error:
            form.add_error("phone", error.message)
            status = status_of(error)
    return render(request, "portal/sign_up.html", {"form": form}, status=max(status, 422) if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.public("the second step of becoming a customer")
def sign_up_code(request: HttpRequest) -> HttpResponseBase:
    """Take the code. Whoever is a customer already is let in as he is."""
    refused = _refused(request)
    if refused is not None:
        return refused
    number = request.session.get(NUMBER_KEY)
    if not number:
        return redirect("portal:sign_up")
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        limits = services.guess_limits(name=number, address=client_address(request))[1:]
        try:
            services.tries_take(limits=limits)
            owners = services.number_prove(number=number, code=form.cleaned_data["code"])
            services.tries_give_back(limits=limits)
            if owners:
                for owner in owners:
                    services.sign_in_record(customer=owner)
                let_in(request, owners)
                return redirect("portal:home")
            request.session[PROVEN_KEY] = [number, clock.machine_now().timestamp() + PROVEN_S]
            return redirect("portal:sign_up_details")
        except DomainError as error:
            form.add_error("code", error.message)
            status = status_of(error)
    context = {"form": form, "number": local(number)}
    return render(request, "portal/sign_up_code.html", context, status=max(status, 422) if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.public("the third step of becoming a customer")
def sign_up_details(request: HttpRequest) -> HttpResponseBase:
    """Who he is and what he takes: then he is a customer with a line, or staff call him."""
    refused = _refused(request)
    if refused is not None:
        return refused
    number = _proven(request)
    if not number:
        return redirect("portal:sign_up")
    with transaction.atomic():
        rules = rules_current()
        packages = [(row, rules.price_of(row)) for row in packages_on_sale()]
    choices = [(str(row.id), row.name) for row, _price in packages]
    initial = {"package": choices[0][0]} if choices else {}
    form = SignUpForm(request.POST or None, packages=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.sign_up(
                number=number,
                name=form.cleaned_data["name"],
                address=form.cleaned_data["address"],
                package_id=UUID(form.cleaned_data["package"]),
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return _gone_on(request, made)
    context = {"form": form, "packages": packages, "number": local(number)}
    return render(request, "portal/sign_up_details.html", context, status=422 if form.errors else 200)


def _gone_on(request: HttpRequest, made: services.SignedUp) -> HttpResponse:
    if made.customer is None:
        request.session.flush()
        return redirect("portal:sign_up_sent")
    let_in(request, [made.customer])
    auth.confirm(request)
    if made.line is None:
        return redirect("portal:home")
    request.session[LINE_KEY] = str(made.line.id)
    return redirect("portal:welcome")


@require_safe
@transaction.non_atomic_requests
@access.public("tells whoever asked for a line that he is called")
def sign_up_sent(request: HttpRequest) -> HttpResponseBase:
    """What happens now that staff have the request."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    return render(request, "portal/sign_up_sent.html")


@never_cache
@require_safe
@access.customer()
def welcome(request: HttpRequest) -> HttpResponse:
    """The new line's name and password, once; later they stand in the profile, behind a code."""
    wanted = request.session.pop(LINE_KEY, "")
    customer = request.customer  # type: ignore[attr-defined]
    line = next((row for row in lines_of(customer.id) if str(row.id) == wanted), None)
    if line is None:
        return redirect("portal:home")
    return render(request, "portal/welcome.html", {"line": line})
