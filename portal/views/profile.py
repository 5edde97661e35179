"""What is known of a subscriber, and what lets him in: the latter only after a code to his telephone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import agents
from customers.models import Customer
from customers.selectors import phone_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.middleware import client_address
from ispbilling.kernel.phone import local, masked_local
from network.selectors import lines_of
from portal import auth, selectors, services
from portal.forms import CodeForm, LinePasswordForm, PhoneForm, ProfileForm
from portal.views.entrance import status_of

#: The number to which a code was sent that is to become his.
NEW_PHONE_KEY = "portal_new_phone"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.customer()
def profile(request: HttpRequest) -> HttpResponse:
    """Name, e-mail, address, language, and where he is signed in."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    initial = {"email": customer.email, "address": customer.address, "language": customer.language}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.profile_set(customer=customer, **form.cleaned_data)
        except DomainError as error:
            form.add_error("email", error.message)
        else:
            messages.success(request, _("Saved."))
            answer = redirect("portal:profile")
            answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME)  # from now on his own choice counts
            return answer
    context = {
        "customer": customer,
        "form": form,
        "phones": customer.phones.order_by("-is_primary", "id"),
        "sign_ins": [(row, agents.device(row.agent)) for row in selectors.sign_ins_of(customer.id)],
        "devices": selectors.devices_of(customer.id),
        "here": request.session.session_key,
        "has_line": bool(lines_of(customer.id)),
    }
    return render(request, "portal/profile.html", context, status=422 if form.errors else 200)


@require_POST
@access.customer()
def sign_ins_end(request: HttpRequest) -> HttpResponse:
    """End one session, or all but this one."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    wanted = request.POST.get("sign_in", "")
    if wanted:
        services.sign_in_end(customer=customer, sign_in_id=_uuid(wanted))
        messages.success(request, _("That session is over."))
    else:
        services.sign_ins_end(customer=customer, keep=request.session.session_key or "")
        messages.success(request, _("You are signed out everywhere else."))
    return redirect("portal:profile")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("sign_in.unknown", "There is no such session of yours.") from None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.customer()
def confirm(request: HttpRequest, after: str) -> HttpResponse:
    """A code to his first telephone: first it is sent, then it is taken, and he goes on to the page ``after``."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    with transaction.atomic():
        number = phone_of(customer.id)
    context: dict[str, Any] = {"number": masked_local(number) if number else "", "form": None}
    if request.method != "POST" or number is None:
        return render(request, "portal/confirm.html", context)
    limits = services.guess_limits(name=number, address=client_address(request))[1:]
    status, form = 200, CodeForm(request.POST if "code" in request.POST else None)
    try:
        if not form.is_bound:
            services.tries_take(limits=services.code_limits(address=client_address(request), is_customers_page=True))
            services.code_send(typed_phone=number)
        elif form.is_valid():
            services.tries_take(limits=limits)
            services.number_prove(number=number, code=form.cleaned_data["code"])
            services.tries_give_back(limits=limits)
            auth.confirm(request)
            return redirect(after)
    except DomainError as error:
        context["problem"], status = error.message, status_of(error)
        if form.is_bound:
            form.add_error("code", error.message)
    context["form"] = form
    return render(request, "portal/confirm.html", context, status=max(status, 422) if form.errors else status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.customer()
def line(request: HttpRequest) -> HttpResponse:
    """What his box dials with; another password for it."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    form = LinePasswordForm(request.POST or None)
    if not auth.is_confirmed(request):
        return redirect("portal:line_confirm")
    if request.method == "POST" and form.is_valid():
        try:
            services.line_password_change(
                customer=customer, line_id=form.cleaned_data["line"], password=form.cleaned_data["password"]
            )
        except NotFound:
            raise
        except DomainError as error:
            form.add_error("password", error.message)
        else:
            messages.success(request, _("The new password counts from now on. Type it into your box."))
            return redirect("portal:line")
    rows = lines_of(customer.id)
    if request.method == "GET":
        for row in rows:
            services.line_reveal(customer=customer, line_id=row.id)
    context = {"lines": [(row, _line_form(row, form)) for row in rows]}
    return render(request, "portal/line.html", context, status=422 if form.errors else 200)


def _line_form(row: Any, bound: LinePasswordForm) -> LinePasswordForm:
    is_his = bound.is_bound and str(bound.data.get("line")) == str(row.id)
    return bound if is_his else LinePasswordForm(initial={"line": row.id}, auto_id=f"id_{row.id.hex}_%s")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.customer()
def telephones(request: HttpRequest) -> HttpResponse:
    """His telephones; a new one is asked to prove itself."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    if not auth.is_confirmed(request):
        return redirect("portal:telephones_confirm")
    form = PhoneForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.tries_take(limits=services.code_limits(address=client_address(request)))
            # Nobody has it yet, and whoever holds it is asked.
            number = services.code_send(typed_phone=form.cleaned_data["phone"], is_registration=True)
            request.session[NEW_PHONE_KEY] = number
            return redirect("portal:telephone_code")
        except DomainError as error:
            form.add_error("phone", error.message)
            status = status_of(error)
    with transaction.atomic():
        phones = list(customer.phones.order_by("-is_primary", "id"))
    context = {"form": form, "phones": phones}
    return render(request, "portal/telephones.html", context, status=max(status, 422) if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.customer()
def telephone_code(request: HttpRequest) -> HttpResponse:
    """The code that was sent to the new telephone."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    number = request.session.get(NEW_PHONE_KEY, "")
    if not number or not auth.is_confirmed(request):
        return redirect("portal:telephones")
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        limits = services.guess_limits(name=number, address=client_address(request))[1:]
        try:
            services.tries_take(limits=limits)
            services.number_prove(number=number, code=form.cleaned_data["code"])
            services.tries_give_back(limits=limits)
            services.phone_add(customer=customer, number=number)
        except DomainError as error:
            form.add_error("code", error.message)
            status = status_of(error)
        else:
            del request.session[NEW_PHONE_KEY]
            messages.success(request, _("The telephone is added. You can sign in with it."))
            return redirect("portal:telephones")
    context = {"form": form, "number": local(number)}
    return render(request, "portal/telephone_code.html", context, status=max(status, 422) if form.errors else 200)


@require_POST
@access.customer()
def telephone_change(request: HttpRequest) -> HttpResponse:
    """Take a telephone away, or let it get the messages."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    number = request.POST.get("number", "")
    if not auth.is_confirmed(request):
        return redirect("portal:telephones_confirm")
    if request.POST.get("action") == "first":
        services.phone_first(customer=customer, number=number)
    else:
        services.phone_remove(customer=customer, number=number)
    messages.success(request, _("Saved."))
    return redirect("portal:telephones")
