"""Buying time: for oneself, for a neighbour, and money into the wallet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.services.tries import Limit
from billing import selectors as billing
from billing.models import Subscription
from customers.models import Customer
from customers.selectors import customer_known, phone_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, NotFound, TooMany
from ispbilling.kernel.ids import url_token
from ispbilling.kernel.money import Money
from ispbilling.kernel.phone import local
from payments import selectors as payments
from payments.models import Payment
from portal import selectors, services
from portal.forms import NeighbourForm, PayForm, TopUpForm

#: Whom one is paying for, and the last payments one began for others: their pages are shown too.
NEIGHBOUR_KEY, PAID_KEY = "portal_neighbour", "portal_paid_for"
KEPT = 10
#: Customer numbers one may try within a quarter of an hour.
GUESSES = 20


def pay_form(payer: Customer, subscription_id: UUID, offers: list[billing.Offer], data: Any = None) -> PayForm:
    """The order of periods with everything chosen already: only the button is to be pressed."""
    first = offers[0].quote.periods if offers else None
    return PayForm(
        data,
        initial={**_initial(payer), "subscription": subscription_id, "periods": first},
        periods=[(offer.quote.periods, str(offer.quote.total)) for offer in offers],
        accounts=_accounts(),
    )


def _accounts() -> list[tuple[str, str]]:
    return [(str(account.id), account.label) for account in payments.accounts_offered(push_only=True)]


def _initial(payer: Customer) -> dict[str, Any]:
    accounts, number = _accounts(), phone_of(payer.id)
    return {
        "key": url_token(),
        "account": accounts[0][0] if accounts else None,
        "phone": local(number) if number else "",
    }


def plans_of(customer: Customer, payer: Customer, bound: PayForm | None = None, wanted: Any = None) -> list[Any]:
    """Each subscription with its prices and its form; ``bound`` is the form of ``wanted`` that was refused.

    A choice is an offer with what the telephone is asked for: who pays for himself uses his wallet first.
    """
    plans = []
    rules = billing.rules_current()
    unit = payments.unit_asked(payments.accounts_offered(push_only=True))
    nothing = Money.zero(rules.tenant.currency)
    balance = billing.wallet_of(customer.id, nothing.currency) if customer.id == payer.id else nothing
    rows = billing.subscriptions_of(customer.id)
    coming = sum((rules.price_of(row.package_to_buy) for row in rows if _renews(row)), nothing)
    for subscription in rows:
        offers = billing.offers_of(subscription)
        is_bound = bound is not None and subscription.id == wanted
        form = bound if is_bound and bound is not None else pay_form(payer, subscription.id, offers)
        plans.append(
            {
                "subscription": subscription,
                "entitlement": billing.entitlement_now(subscription, rules),
                "choices": [(one, selectors.missing_of(one.quote.total, balance).round_up(unit)) for one in offers],
                "balance": balance,
                "is_covered": nothing < coming <= balance and _renews(subscription),
                "is_helped": bool(offers) and nothing < balance < offers[0].quote.total,
                "form": form,
                "is_first": not offers or str(form["periods"].value()) == str(offers[0].quote.periods),
                "best": max((offer.quote.discount_percent for offer in offers), default=0),
            }
        )
    return plans


def _renews(subscription: Subscription) -> bool:
    """Whether its next time is bought from the wallet by itself when this one is over."""
    is_alive = subscription.state == Subscription.State.ACTIVE and subscription.stopped_at is None
    return is_alive and subscription.is_auto_renewed and bool(subscription.package_to_buy.price)


def ordered(request: HttpRequest, customer: Customer, payer: Customer) -> tuple[Payment | None, PayForm, UUID]:
    """Order and ask the phone; None where the form was refused. Raises NotFound for another's subscription."""
    with transaction.atomic():
        plans = {str(row.id): row for row in billing.subscriptions_of(customer.id)}
        subscription = plans.get(request.POST.get("subscription", ""))
        if subscription is None:
            raise NotFound("subscription.unknown", "There is no such subscription.")
        form = pay_form(payer, subscription.id, billing.offers_of(subscription), request.POST)
        is_valid = form.is_valid()
    if is_valid:
        try:
            payment = services.recharge_pay(
                customer=customer,
                subscription_id=subscription.id,
                periods=form.cleaned_data["periods"],
                account_id=UUID(form.cleaned_data["account"]),
                typed_phone=form.cleaned_data["phone"],
                idempotency_key=f"portal:{payer.id.hex}:{form.cleaned_data['key']}"[:80],
                payer=payer if payer.id != customer.id else None,
            )
            return payment, form, subscription.id
        except DomainError as error:
            form.add_error("phone" if error.code.startswith("p") else None, error.message)
    return None, form, subscription.id


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.customer()
def neighbour(request: HttpRequest) -> HttpResponse:
    """Find whom to pay for by his number; his masked name shows whether he is meant."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    form = NeighbourForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        limits = [Limit("neighbour", str(customer.id), GUESSES)]
        try:
            services.tries_take(limits=limits)
            found = selectors.neighbour_of_code(form.cleaned_data["code"])
        except (NotFound, TooMany) as error:
            form.add_error("code", error.message if isinstance(error, TooMany) else _("Nobody here has this number."))
        else:
            request.session[NEIGHBOUR_KEY] = str(found.customer.id)
            return redirect("portal:neighbour_pay")
    return render(request, "portal/neighbour.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.customer()
def neighbour_pay(request: HttpRequest) -> HttpResponse:
    """His masked name, his plans and prices; paid from one's own phone."""
    payer: Customer = request.customer  # type: ignore[attr-defined]
    wanted = request.session.get(NEIGHBOUR_KEY, "")
    if not wanted:
        return redirect("portal:neighbour")
    with transaction.atomic():
        found = customer_known(UUID(wanted))
    bound: PayForm | None = None
    subscription_id: UUID | None = None
    if request.method == "POST":
        payment, bound, subscription_id = ordered(request, found, payer)
        if payment is not None:
            request.session[PAID_KEY] = [str(payment.id), *request.session.get(PAID_KEY, [])][:KEPT]
            return redirect("portal:payment", payment_id=payment.id)
    with transaction.atomic():
        context = {
            "name": selectors.masked_name(found.name),
            "code": found.code,
            "plans": plans_of(found, payer, bound, subscription_id),
        }
        return render(request, "portal/neighbour_pay.html", context, status=422 if bound is not None else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@access.customer()
def top_up(request: HttpRequest) -> HttpResponse:
    """Money into the wallet; it renews the plan when its time is over."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    with transaction.atomic():
        accounts, initial = _accounts(), _initial(customer)
        wallet = billing.wallet_of(customer.id, request.tenant.currency)  # type: ignore[attr-defined]
    currency = request.tenant.currency  # type: ignore[attr-defined]
    form = TopUpForm(request.POST or None, initial=initial, accounts=accounts, currency=currency)
    if request.method == "POST" and form.is_valid():
        try:
            payment = services.top_up_pay(
                customer=customer,
                amount=form.cleaned_data["amount"],
                account_id=UUID(form.cleaned_data["account"]),
                typed_phone=form.cleaned_data["phone"],
                idempotency_key=f"portal:{customer.id.hex}:{form.cleaned_data['key']}"[:80],
            )
            return redirect("portal:payment", payment_id=payment.id)
        except DomainError as error:
            field = next((name for name in error.fields if name in form.fields), None)
            form.add_error(field, error.message)
    context = {"form": form, "wallet": wallet}
    return render(request, "portal/top_up.html", context, status=422 if form.errors else 200)


@require_POST
@transaction.non_atomic_requests
@access.customer()
def retry(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Ask the phone once more. Tapped twice it asks once; what was paid meanwhile is not asked for again."""
    payer: Customer = request.customer  # type: ignore[attr-defined]
    with transaction.atomic():
        payment, customer = own_payment(request, payment_id)
    again = services.payment_retry(payment=payment, customer=customer, payer=payer)
    if customer.id != payer.id and again.id != payment.id:
        request.session[PAID_KEY] = [str(again.id), *request.session.get(PAID_KEY, [])][:KEPT]
    return redirect("portal:payment", payment_id=again.id)


def own_payment(request: HttpRequest, payment_id: UUID) -> tuple[Payment, Customer]:
    """A payment for oneself, or one that was begun here for a neighbour; and for whom. Raises NotFound."""
    payment = payments.payment_get(payment_id)
    customer: Customer = request.customer  # type: ignore[attr-defined]
    if payment.customer_id == customer.id:
        return payment, customer
    if payment.customer_id is None or str(payment_id) not in request.session.get(PAID_KEY, []):
        raise NotFound("payment.unknown", "There is no such payment.")
    return payment, customer_known(payment.customer_id)
