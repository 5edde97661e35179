"""Subscribers' pages. They work without JavaScript; with it, the payment's status moves by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from billing import selectors as billing
from customers.selectors import customer_get, phone_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.ids import url_token
from ispbilling.kernel.phone import local
from network.proof import customer_why
from network.wording import whole_sentence_for_customer
from payments import selectors as payments
from payments.models import Payment
from portal import auth, services
from portal.forms import CodeForm, PayForm, PhoneForm

_PHONE_KEY, _OWNERS_KEY = "portal_phone", "portal_owners"

#: Why a payment ended badly, in words a payer can use.
_REASONS = {
    "funds": "There is not enough money on that account.",
    "cancelled": "The payment was cancelled on the phone.",
    "no_answer": "The phone did not answer in time. Is it on and unlocked?",
    "wrong_pin": "The PIN was wrong.",
    "busy": "Another payment is open on that phone. Close it and try again in two minutes.",
    "limit": "The amount is over your limit for today.",
    "expired": "The time to confirm ran out.",
    "away": "The payment service could not be reached. Nothing was charged.",
}


@never_cache
@transaction.non_atomic_requests
@access.public("this is the customers' door")
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for the telephone, send a code."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            request.session[_PHONE_KEY] = services.code_send(typed_phone=form.cleaned_data["phone"])
            return redirect("portal:sign_in_code")
        except DomainError as error:
            form.add_error("phone", error.message)
    return render(request, "portal/sign_in.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@transaction.non_atomic_requests
@access.public("the second step of signing in")
def sign_in_code(request: HttpRequest) -> HttpResponseBase:
    """Take the code."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    number = request.session.get(_PHONE_KEY)
    if not number:
        return redirect("portal:sign_in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            owners = services.code_check(number=number, code=form.cleaned_data["code"])
            auth.sign_in(request, owners[0])
            request.session[_OWNERS_KEY] = [str(owner.id) for owner in owners]
            return redirect("portal:home")
        except DomainError as error:
            form.add_error("code", error.message)
    context = {"form": form, "number": local(number)}
    return render(request, "portal/sign_in_code.html", context, status=422 if form.errors else 200)


@require_POST
@access.public("ends a session")
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.sign_out(request)
    return redirect("portal:sign_in")


@require_POST
@access.customer()
def switch(request: HttpRequest) -> HttpResponse:
    """Another customer with the same telephone: a landlord with three flats."""
    owners = request.session.get(_OWNERS_KEY, [])
    wanted = request.POST.get("customer", "")
    if wanted not in owners:
        raise NotFound("customer.unknown", "There is no such customer.")
    auth.sign_in(request, customer_get(UUID(wanted)))
    request.session[_OWNERS_KEY] = owners
    return redirect("portal:home")


@never_cache
@access.customer()
def home(request: HttpRequest) -> HttpResponse:
    """The plan, the days left, and the way to pay."""
    return _home(request, None)


def _home(request: HttpRequest, bound: PayForm | None, subscription_id: UUID | None = None) -> HttpResponse:
    customer: Any = request.customer  # type: ignore[attr-defined]
    plans = []
    for subscription in billing.subscriptions_of(customer.id):
        offers = billing.offers_of(subscription)
        is_bound = bound is not None and subscription.id == subscription_id
        form = bound if is_bound and bound is not None else _pay_form(customer.id, subscription.id, offers)
        plans.append(
            {
                "subscription": subscription,
                "entitlement": billing.entitlement_now(subscription),
                "offers": offers,
                "form": form,
            }
        )
    owners = [customer_get(UUID(text)) for text in request.session.get(_OWNERS_KEY, [])]
    whole = customer_why(customer.id)
    context = {
        "customer": customer,
        "is_online": whole.answer.is_online,
        "is_known": whole.answer.is_known,
        "tone": whole.answer.tone,
        "standing": whole_sentence_for_customer(whole, request.tenant.zone_info),  # type: ignore[attr-defined]
        "plans": plans,
        "wallet": billing.wallet_of(customer.id, request.tenant.currency),  # type: ignore[attr-defined]
        "receipts": billing.receipts_of(customer.id)[:5],
        "others": [owner for owner in owners if owner.id != customer.id],
    }
    return render(request, "portal/home.html", context, status=422 if bound is not None else 200)


def _pay_form(customer_id: UUID, subscription_id: UUID, offers: list[billing.Offer], data: Any = None) -> PayForm:
    accounts = payments.accounts_offered(push_only=True)
    number = phone_of(customer_id)
    initial = {
        "subscription": subscription_id,
        "key": url_token(),
        "periods": offers[0].quote.periods if offers else None,
        "account": str(accounts[0].id) if accounts else None,
        "phone": local(number) if number else "",
    }
    return PayForm(
        data,
        initial=initial,
        periods=[(offer.quote.periods, str(offer.quote.total)) for offer in offers],
        accounts=[(str(account.id), account.label) for account in accounts],
    )


@require_POST
@transaction.non_atomic_requests
@access.customer()
def pay(request: HttpRequest) -> HttpResponse:
    """Order and pay: the phone is asked, and the status page tells how it goes."""
    customer: Any = request.customer  # type: ignore[attr-defined]
    with transaction.atomic():
        plans = {str(row.id): row for row in billing.subscriptions_of(customer.id)}
        subscription = plans.get(request.POST.get("subscription", ""))
        if subscription is None:
            raise NotFound("subscription.unknown", "There is no such subscription.")
        form = _pay_form(customer.id, subscription.id, billing.offers_of(subscription), request.POST)
        is_valid = form.is_valid()
    if is_valid:
        try:
            payment = services.recharge_pay(
                customer=customer,
                subscription_id=subscription.id,
                periods=form.cleaned_data["periods"],
                account_id=UUID(form.cleaned_data["account"]),
                typed_phone=form.cleaned_data["phone"],
                idempotency_key=f"portal:{customer.id.hex}:{form.cleaned_data['key']}"[:80],
            )
            return redirect("portal:payment", payment_id=payment.id)
        except DomainError as error:
            form.add_error("phone" if error.code.startswith("p") else None, error.message)
    with transaction.atomic():
        return _home(request, form, subscription.id)


def _own_payment(request: HttpRequest, payment_id: UUID) -> Payment:
    payment = payments.payment_get(payment_id)
    if payment.customer_id != request.customer.id:  # type: ignore[attr-defined]
        raise NotFound("payment.unknown", "There is no such payment.")
    return payment


@never_cache
@access.customer()
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """How a payment goes."""
    return render(request, "portal/payment.html", _payment_context(_own_payment(request, payment_id)))


@never_cache
@access.customer()
def payment_status(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The moving part of the payment's page."""
    return render(request, "portal/_payment_status.html", _payment_context(_own_payment(request, payment_id)))


def _payment_context(row: Payment) -> dict[str, Any]:
    recharge = billing.recharge_get(row.purpose_id) if row.purpose_id else None
    text = _REASONS.get(row.reason, "The payment did not go through. Nothing was booked.")
    return {"payment": row, "recharge": recharge, "reason": _(text)}
