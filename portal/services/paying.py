"""Paying from the portal: for oneself, for a neighbour, into the wallet, and once more after it failed."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.selectors import tenant_current
from billing.models import Recharge
from billing.selectors import recharge_get, subscriptions_of, wallet_of
from billing.services import recharge_start
from billing.services.receipts import RECHARGE
from customers.models import Customer
from ispbilling.kernel import phone
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.money import Money, quantize
from payments.models import Payment
from payments.services import payment_start
from portal.selectors import missing_of

TOP_UP = "top_up"  # what payments are told money for the wallet is for
MOST = Decimal(1_000_000)  # of whatever currency: more at once is a slip of the finger


def recharge_pay(
    *,
    customer: Customer,
    subscription_id: UUID,
    periods: int,
    account_id: UUID,
    typed_phone: str,
    idempotency_key: str,
    payer: Customer | None = None,
) -> Payment:
    """Order periods and ask the gateway for their price. Call outside a transaction.

    What lies in the wallet already is not asked for, unless somebody else pays: he would learn what another has.
    Raises DomainError, NotFound.
    """
    by = f"customer:{(payer or customer).id}"
    recharge, number, missing = _order(customer, subscription_id, periods, typed_phone, by, payer is not None)
    return payment_start(
        account_id=account_id,
        customer_id=customer.id,
        amount=missing,
        purpose=RECHARGE,
        purpose_id=recharge.id,
        phone=number,
        idempotency_key=idempotency_key,
        description="Internet",
        actor=by,
    )


@transaction.atomic
def _order(
    customer: Customer, subscription_id: UUID, periods: int, typed_phone: str, by: str, is_whole: bool
) -> tuple[Recharge, str, Money]:
    if subscription_id not in {row.id for row in subscriptions_of(customer.id)}:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    number = phone.normalise(typed_phone, tenant_current().country)
    recharge = recharge_start(subscription_id=subscription_id, periods=periods, actor=by)
    total = Money(recharge.total, recharge.currency)
    missing = total if is_whole else missing_of(total, wallet_of(customer.id, recharge.currency))
    return recharge, number, missing


def top_up_pay(
    *, customer: Customer, amount: Decimal, account_id: UUID, typed_phone: str, idempotency_key: str
) -> Payment:
    """Ask the gateway for money into the wallet. Call outside a transaction.

    It goes the way of all money: what ran out or was cut is carried on by it. Raises DomainError ``top_up.amount``.
    """
    with transaction.atomic():
        tenant = tenant_current()
    if not 0 < amount <= MOST or quantize(amount, tenant.currency) != amount:
        text = _("That is not an amount of %(currency)s.") % {"currency": tenant.currency}
        raise DomainError("top_up.amount", text, fields={"amount": [text]})
    return payment_start(
        account_id=account_id,
        customer_id=customer.id,
        amount=Money(amount, tenant.currency),
        purpose=TOP_UP,
        purpose_id=customer.id,
        phone=phone.normalise(typed_phone, tenant.country),
        idempotency_key=idempotency_key,
        description="Internet",
        actor=f"customer:{customer.id}",
    )


def payment_retry(*, payment: Payment, customer: Customer, payer: Customer) -> Payment:
    """Ask once more for what a payment failed to bring; one that is open or paid is given back as it is.

    The key is made from the failed payment, so that however often it is tapped the phone is asked once. Call outside a
    transaction. Raises DomainError, NotFound.
    """
    if payment.is_open or payment.state == Payment.State.SUCCEEDED:
        return payment
    key = f"portal:{customer.id.hex}:again{payment.id.hex}"
    if payment.purpose != RECHARGE or payment.purpose_id is None:
        return top_up_pay(
            customer=customer,
            amount=payment.amount,
            account_id=payment.account_id,
            typed_phone=payment.phone,
            idempotency_key=key,
        )
    with transaction.atomic():
        recharge = recharge_get(payment.purpose_id)
    return recharge_pay(
        customer=customer,
        subscription_id=recharge.subscription_id,
        periods=recharge.periods,
        account_id=payment.account_id,
        typed_phone=payment.phone,
        idempotency_key=key,
        payer=payer if payer.id != customer.id else None,
    )
