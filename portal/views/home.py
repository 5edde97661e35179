"""The first page: am I online, how long still, and the way to pay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import selectors as billing
from customers.models import Customer
from customers.selectors import customer_get
from ispbilling.kernel import access, clock
from network.proof import customer_why
from network.wording import whole_sentence_for_customer
from portal.forms import PayForm
from portal.views.entrance import OWNERS_KEY
from portal.views.recharge import ordered, plans_of


@never_cache
@require_safe
@access.customer()
def home(request: HttpRequest) -> HttpResponse:
    """The plan, the days left, and the way to pay."""
    return _home(request, None)


@require_POST
@transaction.non_atomic_requests
@access.customer()
def pay(request: HttpRequest) -> HttpResponse:
    """Order and pay: the phone is asked, and the payment's page tells how it goes."""
    customer: Customer = request.customer  # type: ignore[attr-defined]
    payment, form, subscription_id = ordered(request, customer, customer)
    if payment is not None:
        return redirect("portal:payment", payment_id=payment.id)
    with transaction.atomic():
        return _home(request, form, subscription_id)


def _home(request: HttpRequest, bound: PayForm | None, subscription_id: UUID | None = None) -> HttpResponse:
    customer: Customer = request.customer  # type: ignore[attr-defined]
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    owners = [customer_get(UUID(text)) for text in request.session.get(OWNERS_KEY, [])]
    whole, now = customer_why(customer.id), clock.now()
    plans = plans_of(customer, customer, bound, subscription_id)
    for plan in plans:
        expires_at = plan["subscription"].expires_at
        left = expires_at - now if expires_at is not None and expires_at > now else None
        plan["days"] = left.days if left is not None else 0
        plan["hours"] = -(-left.seconds // 3600) if left is not None else 0  # one that began is told as one
        plan["is_running"] = left is not None
    context = {
        "customer": customer,
        "is_online": whole.answer.is_online,
        "is_known": whole.answer.is_known,
        "tone": whole.answer.tone,
        "standing": whole_sentence_for_customer(whole, tenant.zone_info),
        "plans": plans,
        "wallet": billing.wallet_of(customer.id, tenant.currency),
        "receipts": billing.receipts_of(customer.id)[:3],
        "others": [owner for owner in owners if owner.id != customer.id],
    }
    return render(request, "portal/home.html", context, status=422 if bound is not None else 200)
