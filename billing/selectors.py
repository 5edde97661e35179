"""Reads of billing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Tenant
from accounts.selectors import tenant_current
from billing.calculations import Period, Quote, extended, quote
from billing.entitlement import Entitlement, Level, Terms, entitlement
from billing.models import (
    AccountKind,
    AccountName,
    BillingPolicy,
    Invoice,
    Receipt,
    Recharge,
    RechargeOption,
    Subscription,
)
from customers.selectors import customer_of_account, customers_of_phone
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.money import Money
from packages.models import Package


@dataclass(frozen=True, slots=True)
class Offer:
    """A length that can be bought, with its price and what it would lead to."""

    quote: Quote
    length: int  # in the package's unit
    new_expires_at: datetime


def customer_claiming(typed: str, phone: str) -> UUID | None:
    """Whose money this is: by the account typed, else by a telephone that exactly one customer has."""
    customer = customer_of_account(typed)
    if customer is None and phone:
        owners = customers_of_phone(phone)
        customer = owners[0] if len(owners) == 1 else None
    return None if customer is None else customer.id


def terms_of(subscription: Subscription, policy: BillingPolicy) -> Terms:
    """The facts that decide a subscription's entitlement."""
    return Terms(
        expires_at=subscription.expires_at,
        is_ended=subscription.state == Subscription.State.ENDED,
        suspension=Level(policy.suspension_mode),
        grace=timedelta(hours=policy.grace_hours),
    )


def period_of(package: Package, tenant: Tenant, policy: BillingPolicy) -> Period:
    return Period(package.period_unit, package.period_count, tenant.zone_info, policy.ends_at_midnight)


def policy_current() -> BillingPolicy:
    """The tenant's rules; a tenant without a row has the usual ones."""
    found: BillingPolicy | None = BillingPolicy.objects.first()
    return found or BillingPolicy()


def recharge_quote(*, package: Package, periods: int, currency: str) -> Quote:
    """What ``periods`` periods cost. Raises DomainError ``recharge.periods`` for a number that is not offered."""
    option = RechargeOption.objects.filter(periods=periods).first()
    if option is None:
        raise DomainError("recharge.periods", "That length is not offered.", fields={"periods": ["Please choose one."]})
    return quote(package.money(currency), periods, option.discount_percent)


def wallet_of(customer_id: UUID, currency: str) -> Money:
    """What the tenant owes a customer, positive."""
    return -balance(AccountName(AccountKind.WALLET, customer_id), currency)


def balance(name: AccountName, currency: str) -> Money:
    """An account's balance, debit positive; zero for one never used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT b.amount FROM billing_ledgeraccount a JOIN billing_ledgerbalance b"
            " ON b.tenant_id = a.tenant_id AND b.account_id = a.id"
            " WHERE a.tenant_id = %s AND a.kind = %s AND a.owner = %s AND a.currency = %s",
            [tenancy.tenant_id_required(), name.kind, str(name.owner or ""), currency],
        )
        row = cursor.fetchone()
    return Money(row[0] if row else Decimal(0), currency)


def subscription_get(subscription_id: UUID) -> Subscription:
    """With its package. Raises NotFound."""
    found: Subscription | None = (
        Subscription.objects.select_related("package__speed_profile").filter(id=subscription_id).first()
    )
    if found is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    return found


def subscriptions_of(customer_id: UUID) -> list[Subscription]:
    """A customer's subscriptions that have not ended, oldest first."""
    rows = Subscription.objects.filter(customer_id=customer_id).exclude(state=Subscription.State.ENDED)
    return list(rows.select_related("package__speed_profile").order_by("created_at", "id"))


def entitlement_now(subscription: Subscription) -> Entitlement:
    """What a subscription allows at this instant."""
    return entitlement(terms_of(subscription, policy_current()), clock.now())


def offers_of(subscription: Subscription) -> list[Offer]:
    """The lengths that can be bought now, with prices and the expiry each leads to."""
    tenant, policy, at = tenant_current(), policy_current(), clock.now()
    period = period_of(subscription.package, tenant, policy)
    price = subscription.package.money(tenant.currency)
    offers = []
    for option in RechargeOption.objects.order_by("periods"):
        _, _, expires_at = extended(
            period,
            anchor=subscription.anchor_at,
            periods=subscription.periods,
            expires_at=subscription.expires_at,
            bought=option.periods,
            at=at,
        )
        length = option.periods * subscription.package.period_count
        offers.append(Offer(quote(price, option.periods, option.discount_percent), length, expires_at))
    return offers


def invoices_of(customer_id: UUID) -> QuerySet[Invoice]:
    """A customer's invoices, newest first."""
    rows: QuerySet[Invoice] = Invoice.objects.filter(customer_id=customer_id)
    return rows.order_by("-issued_at", "-id")


def receipts_of(customer_id: UUID) -> QuerySet[Receipt]:
    """A customer's receipts, newest first."""
    rows: QuerySet[Receipt] = Receipt.objects.filter(customer_id=customer_id)
    return rows.order_by("-received_at", "-id")


def recharge_get(recharge_id: UUID) -> Recharge:
    """Raises NotFound."""
    found: Recharge | None = Recharge.objects.select_related("package").filter(id=recharge_id).first()
    if found is None:
        raise NotFound("recharge.unknown", "There is no such order.")
    return found
