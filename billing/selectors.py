"""Reads of billing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from accounts.models import Tenant
from accounts.selectors import tenant_current
from billing.calculations import Period, Quote, extended, quote
from billing.entitlement import Entitlement, Level, QuietHours, Terms, cut_at, entitlement
from billing.models import (
    AccountKind,
    AccountName,
    BillingPolicy,
    CutStop,
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
from ispbilling.kernel.phone import normalise
from packages.models import Package


@dataclass(frozen=True, slots=True)
class Offer:
    """A length that can be bought, with its price and what it would lead to."""

    quote: Quote
    length: int  # in the package's unit
    new_expires_at: datetime


def customer_claiming(typed: str, phone: str) -> UUID | None:
    """Whose money this is: by the account typed, by a telephone typed as account, else by the telephone that paid.

    A telephone counts only when exactly one customer has it: money is never given to one of several by guess.
    """
    customer = customer_of_account(typed)
    if customer is not None:
        return customer.id
    try:
        typed_phone = normalise(typed, tenant_current().country)
    except DomainError:
        typed_phone = ""
    for number in (typed_phone, phone):
        owners = customers_of_phone(number) if number else []
        if len(owners) == 1:
            return owners[0].id
    return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a tenant decides by: itself and its policy, read once for a piece of work."""

    tenant: Tenant
    policy: BillingPolicy

    @property
    def quiet(self) -> QuietHours:
        policy = self.policy
        days = frozenset(int(day) for day in policy.quiet_weekdays)
        return QuietHours(self.tenant.zone_info, days, policy.quiet_from_hour, policy.quiet_until_hour)

    def price_of(self, package: Package) -> Money:
        return package.money(self.tenant.currency)

    def period_of(self, package: Package) -> Period:
        return Period(package.period_unit, package.period_count, self.tenant.zone_info, self.policy.ends_at_midnight)

    def local_date(self, at: datetime) -> date:
        """The tenant's calendar day of an instant."""
        return at.astimezone(self.tenant.zone_info).date()


def rules_current() -> Rules:
    """The current tenant's rules, in one query."""
    policy: BillingPolicy | None = BillingPolicy.objects.select_related("tenant").first()
    return Rules(policy.tenant, policy) if policy is not None else Rules(tenant_current(), BillingPolicy())


def terms_of(subscription: Subscription, rules: Rules) -> Terms:
    """The facts that decide a subscription's entitlement."""
    return Terms(
        expires_at=subscription.expires_at,
        is_ended=subscription.state == Subscription.State.ENDED or subscription.stopped_at is not None,
        is_suspended=subscription.state == Subscription.State.SUSPENDED,
        suspension=Level(rules.policy.suspension_mode),
        grace=timedelta(hours=rules.policy.grace_hours),
        held_until=subscription.held_until,
        quiet=rules.quiet,
    )


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


def wallets_of(customer_ids: Collection[UUID], currency: str) -> dict[UUID, Money]:
    """Wallets of several customers in one query; a customer who never had one is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.owner, b.amount FROM billing_ledgeraccount a JOIN billing_ledgerbalance b"
            " ON b.tenant_id = a.tenant_id AND b.account_id = a.id"
            " WHERE a.tenant_id = %s AND a.kind = %s AND a.currency = %s AND a.owner = ANY(%s)",
            [tenancy.tenant_id_required(), AccountKind.WALLET, currency, [str(one) for one in customer_ids]],
        )
        return {UUID(owner): -Money(amount, currency) for owner, amount in cursor.fetchall()}


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


def entitlement_now(subscription: Subscription, rules: Rules | None = None) -> Entitlement:
    """What a subscription allows at this instant."""
    return entitlement(terms_of(subscription, rules or rules_current()), clock.now())


@dataclass(frozen=True, slots=True)
class Coming:
    """A cut that is due or comes within the time looked at, if nothing is paid until then."""

    subscription: Subscription
    cut_at: datetime
    is_covered: bool  # the wallet renews it instead


def cuts_coming(*, rules: Rules, within: timedelta, limit: int = 200) -> tuple[list[Coming], bool]:
    """Whom the next hours would cut, soonest first, and whether there are more than ``limit``. Two queries."""
    running = [Subscription.State.ACTIVE, Subscription.State.GRACE]
    rows = Subscription.objects.filter(state__in=running, next_change_at__lte=clock.now() + within)
    found = list(rows.select_related("customer", "package").order_by("next_change_at", "id")[: limit + 1])
    wallets = wallets_of({row.customer_id for row in found}, rules.tenant.currency)
    coming = []
    for row in found[:limit]:
        cut = cut_at(terms_of(row, rules))
        price = rules.price_of(row.package)
        wallet = wallets.get(row.customer_id)
        if cut is not None:
            coming.append(Coming(row, cut, row.is_auto_renewed and wallet is not None and price <= wallet))
    return coming, len(found) > limit


def cut_stop_open() -> CutStop | None:
    """The stop that keeps everybody of the tenant online, if there is one."""
    found: CutStop | None = CutStop.objects.filter(released_at=None).order_by("id").first()
    return found


def cut_stops_recent(limit: int = 10) -> list[CutStop]:
    """Stops, the open one first, then newest first."""
    return list(CutStop.objects.order_by(F("released_at").desc(nulls_first=True), "-id")[:limit])


def offers_of(subscription: Subscription) -> list[Offer]:
    """The lengths that can be bought now, with prices and the expiry each leads to."""
    rules, at = rules_current(), clock.now()
    period, price = rules.period_of(subscription.package), rules.price_of(subscription.package)
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
