"""Reads of billing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import Tenant
from accounts.selectors import tenant_current
from billing.calculations import Period, Quote, extended, price_with_tax, quote
from billing.entitlement import Entitlement, Level, QuietHours, Terms, cut_at, entitlement
from billing.models import (
    AccountKind,
    AccountName,
    Allocation,
    BillingPolicy,
    CutStop,
    Invoice,
    Receipt,
    Recharge,
    RechargeOption,
    Subscription,
    TaxMode,
)
from customers.selectors import customer_of_account, customers_of_phone
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.money import AmountField, Money
from ispbilling.kernel.phone import normalise
from packages.models import Package, TaxClass


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

    def tax_of(self, package: Package) -> Decimal:
        """Per cent of tax contained in what the customer is shown."""
        is_free = self.policy.tax_mode == TaxMode.NONE or package.tax_class == TaxClass.EXEMPT
        return Decimal(0) if is_free else self.policy.tax_percent

    def price_of(self, package: Package) -> Money:
        """What the customer is shown for one period, tax contained."""
        is_on_top = self.policy.tax_mode == TaxMode.ON_TOP
        return price_with_tax(package.money(self.tenant.currency), self.tax_of(package), is_on_top=is_on_top)

    def quote_of(self, package: Package, periods: int, discount_percent: Decimal = Decimal(0)) -> Quote:
        return quote(self.price_of(package), periods, discount_percent, self.tax_of(package))

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


def next_change_of(subscription: Subscription, rules: Rules, at: datetime) -> datetime | None:
    """When time alone changes something of a subscription: what it allows, or its package."""
    until, changes_at = entitlement(terms_of(subscription, rules), at).until, subscription.package_changes_at
    return min(filter(None, (until, changes_at)), default=None)


def policy_current() -> BillingPolicy:
    """The tenant's rules; a tenant without a row has the usual ones."""
    found: BillingPolicy | None = BillingPolicy.objects.first()
    return found or BillingPolicy()


def recharge_quote(*, package: Package, periods: int, rules: Rules) -> Quote:
    """What ``periods`` periods cost. Raises DomainError ``recharge.periods`` for a number that is not offered."""
    option = RechargeOption.objects.filter(periods=periods).first()
    if option is None:
        raise DomainError("recharge.periods", "That length is not offered.", fields={"periods": ["Please choose one."]})
    return rules.quote_of(package, periods, discount_of(package, option))


def discount_of(package: Package, option: RechargeOption) -> Decimal:
    """Per cent off for a length: the package's own word, else the tenant's."""
    own = package.discounts.get(str(option.periods))
    return option.discount_percent if own is None else Decimal(own)


def wallets_of(customer_ids: Collection[UUID], currency: str) -> dict[UUID, Money]:
    """Wallets of several customers in one query; a customer who never had one is left out."""
    return {one: -amount for one, amount in _balances(AccountKind.WALLET, customer_ids, currency).items()}


def dues_of(customer_ids: Collection[UUID], currency: str) -> dict[UUID, Money]:
    """What the invoices of several customers ask for and was not paid, in one query at most."""
    return _balances(AccountKind.RECEIVABLE, customer_ids, currency) if customer_ids else {}


def _balances(kind: str, customer_ids: Collection[UUID], currency: str) -> dict[UUID, Money]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.owner, b.amount FROM billing_ledgeraccount a JOIN billing_ledgerbalance b"
            " ON b.tenant_id = a.tenant_id AND b.account_id = a.id"
            " WHERE a.tenant_id = %s AND a.kind = %s AND a.currency = %s AND a.owner = ANY(%s)",
            [tenancy.tenant_id_required(), kind, currency, [str(one) for one in customer_ids]],
        )
        return {UUID(owner): Money(amount, currency) for owner, amount in cursor.fetchall()}


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
        Subscription.objects.select_related("package__speed_profile", "next_package").filter(id=subscription_id).first()
    )
    if found is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    return found


def subscriptions_of(customer_id: UUID) -> list[Subscription]:
    """A customer's subscriptions that have not ended, oldest first."""
    rows = Subscription.objects.filter(customer_id=customer_id).exclude(state=Subscription.State.ENDED)
    return list(rows.select_related("package__speed_profile", "next_package").order_by("created_at", "id"))


def subscriptions_latest(customer_ids: Collection[UUID]) -> dict[UUID, Subscription]:
    """Each customer's latest subscription with its package, in one query; who has none is left out."""
    rows = Subscription.objects.filter(customer_id__in=customer_ids).select_related("package")
    return {row.customer_id: row for row in rows.order_by("created_at", "id")}


def entitlement_now(subscription: Subscription, rules: Rules | None = None) -> Entitlement:
    """What a subscription allows at this instant."""
    return entitlement(terms_of(subscription, rules or rules_current()), clock.now())


def status_of(subscription: Subscription | None, at: datetime) -> str:
    """One word of five (checklist F4): what was cut is ``suspended``, what ran out and was not cut yet ``expired``."""
    if subscription is None or subscription.state == Subscription.State.PENDING:
        return "pending"
    if subscription.state == Subscription.State.ENDED or subscription.stopped_at is not None:
        return "disabled"
    if subscription.state == Subscription.State.SUSPENDED:
        return "suspended"
    return "expired" if subscription.expires_at is not None and subscription.expires_at <= at else "active"


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
    found = list(
        rows.select_related("customer", "package", "next_package").order_by("next_change_at", "id")[: limit + 1]
    )
    wallets = wallets_of({row.customer_id for row in found}, rules.tenant.currency)
    coming = []
    for row in found[:limit]:
        cut = cut_at(terms_of(row, rules))
        price = rules.price_of(row.package_to_buy)
        wallet = wallets.get(row.customer_id)
        if cut is not None:
            coming.append(Coming(row, cut, row.is_auto_renewed and wallet is not None and price <= wallet))
    return coming, len(found) > limit


#: How many lines that run out are looked at before "more than" is said.
MOST_PREVIEWED = 5_000


def cuts_under(*, rules: Rules, within: timedelta) -> tuple[int, bool]:
    """How many would be cut in the next hours under these rules, kept or only thought of, if nothing is paid; and
    whether there are more. Those whom their wallet renews are not among them. Two queries."""
    running = [Subscription.State.ACTIVE, Subscription.State.GRACE]
    end = clock.now() + within
    rows = Subscription.objects.filter(state__in=running, expires_at__lte=end).select_related("package", "next_package")
    found = list(rows.order_by("expires_at", "id")[: MOST_PREVIEWED + 1])
    cut = [row for row in found if (at := cut_at(terms_of(row, rules))) is not None and at <= end]
    wallets = wallets_of({row.customer_id for row in cut}, rules.tenant.currency)
    covered = [
        row
        for row in cut
        if row.is_auto_renewed
        and row.customer_id in wallets
        and rules.price_of(row.package_to_buy) <= wallets[row.customer_id]
    ]
    return len(cut) - len(covered), len(found) > MOST_PREVIEWED


def cut_stops_open() -> QuerySet[CutStop]:
    """What keeps everybody of the tenant online until it is released: at most one of each cause."""
    rows: QuerySet[CutStop] = CutStop.objects.filter(released_at=None)
    return rows


def cut_stop_open() -> CutStop | None:
    """The stop that keeps everybody of the tenant online, if there is one."""
    return cut_stops_open().order_by("id").first()


def cut_stops_recent(limit: int = 10) -> list[CutStop]:
    """Stops, the open one first, then newest first."""
    return list(CutStop.objects.order_by(F("released_at").desc(nulls_first=True), "-id")[:limit])


def offers_of(subscription: Subscription) -> list[Offer]:
    """The lengths that can be bought now, with prices and the expiry each leads to."""
    rules, at = rules_current(), clock.now()
    package = subscription.package_to_buy
    period = rules.period_of(package)
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
        length = option.periods * package.period_count
        offers.append(Offer(rules.quote_of(package, option.periods, discount_of(package, option)), length, expires_at))
    return offers


def invoices_of(customer_id: UUID) -> QuerySet[Invoice]:
    """A customer's invoices, newest first."""
    rows: QuerySet[Invoice] = Invoice.objects.filter(customer_id=customer_id)
    return rows.order_by("-issued_at", "-id")


def receipts_of(customer_id: UUID) -> QuerySet[Receipt]:
    """A customer's receipts, newest first."""
    rows: QuerySet[Receipt] = Receipt.objects.filter(customer_id=customer_id)
    return rows.order_by("-received_at", "-id")


def invoices_all(*, customer_id: UUID | None = None, state: str = "") -> QuerySet[Invoice]:
    """The tenant's invoices, newest first."""
    rows: QuerySet[Invoice] = Invoice.objects.order_by("-issued_at", "-id")
    rows = rows.filter(customer_id=customer_id) if customer_id is not None else rows
    return rows.filter(state=state) if state else rows


def invoices_with_paid(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Each with ``paid``: what was allocated to it."""
    paid = Allocation.objects.filter(invoice_id=OuterRef("id")).values("invoice_id").annotate(sum=Sum("amount"))
    return rows.annotate(paid=Coalesce(Subquery(paid.values("sum")[:1]), Decimal(0), output_field=AmountField()))


def receipts_all(*, customer_id: UUID | None = None, method: str = "") -> QuerySet[Receipt]:
    """Money that came, newest first."""
    rows: QuerySet[Receipt] = Receipt.objects.order_by("-received_at", "-id")
    rows = rows.filter(customer_id=customer_id) if customer_id is not None else rows
    return rows.filter(method=method) if method else rows


def payments_returned(payment_ids: Collection[UUID]) -> set[UUID]:
    """Those of these payments whose money was given back to the payer."""
    rows = Receipt.objects.filter(payment_id__in=payment_ids, returned_at__isnull=False)
    return set(rows.values_list("payment_id", flat=True))


def paid_of(customer_id: UUID, currency: str) -> Money:
    """Everything a customer ever paid."""
    total = Receipt.objects.filter(customer_id=customer_id, currency=currency).aggregate(sum=Sum("amount"))["sum"]
    return Money(total or Decimal(0), currency)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what came. ``name`` is a method, or a day as text."""

    name: str
    amount: Money
    count: int


@dataclass(frozen=True, slots=True)
class Revenue:
    by_method: list[Share]
    by_day: list[Share]


def revenue(*, begin: datetime, end: datetime, currency: str, zone: ZoneInfo) -> Revenue:
    """What came within ``[begin, end)`` and was not given back, by method and by local day. Two queries."""
    rows = Receipt.objects.filter(received_at__gte=begin, received_at__lt=end, currency=currency, returned_at=None)
    methods = rows.values("method").annotate(sum=Sum("amount"), times=Count("id")).order_by("method")
    days = rows.annotate(day=TruncDate("received_at", tzinfo=zone)).values("day")
    by_day = days.annotate(sum=Sum("amount"), times=Count("id")).order_by("day")
    return Revenue(
        [Share(row["method"], Money(row["sum"], currency), row["times"]) for row in methods],
        [Share(row["day"].isoformat(), Money(row["sum"], currency), row["times"]) for row in by_day],
    )


def recharge_options() -> list[RechargeOption]:
    """The lengths that are offered, shortest first."""
    return list(RechargeOption.objects.order_by("periods"))


def due_of(customer_id: UUID, currency: str) -> Money:
    """What a customer's invoices ask for and was not allocated to them."""
    return balance(AccountName(AccountKind.RECEIVABLE, customer_id), currency)


def bills_of(customer_id: UUID, *, status: str, year: int | None, today: date, zone: ZoneInfo) -> QuerySet[Invoice]:
    """A customer's invoices of a status (``all``, a state, ``unpaid``, ``overdue``) and a local year, newest first."""
    rows = invoices_of(customer_id)
    if status == "unpaid":
        rows = rows.filter(state=Invoice.State.ISSUED, due_on__gte=today)
    elif status == "overdue":
        rows = rows.filter(state=Invoice.State.ISSUED, due_on__lt=today)
    elif status != "all":
        rows = rows.filter(state=status)
    if year is not None:
        begin, end = datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)
        rows = rows.filter(issued_at__gte=begin, issued_at__lt=end)
    return rows


def bill_statistics(customer_id: UUID, *, today: date) -> dict[str, int]:
    """How many bills there are, and how many of them are paid, open and overdue. One query."""
    is_open = Q(state=Invoice.State.ISSUED)
    found: dict[str, int] = Invoice.objects.filter(customer_id=customer_id).aggregate(
        total=Count("id", filter=~Q(state=Invoice.State.VOID)),
        paid=Count("id", filter=Q(state=Invoice.State.PAID)),
        unpaid=Count("id", filter=is_open & Q(due_on__gte=today)),
        overdue=Count("id", filter=is_open & Q(due_on__lt=today)),
    )
    return found


def recharges_of(customer_id: UUID) -> QuerySet[Recharge]:
    """A customer's orders of periods that were paid, newest first."""
    rows = Recharge.objects.filter(customer_id=customer_id, state=Recharge.State.COMPLETED)
    found: QuerySet[Recharge] = rows.select_related("package").order_by("-created_at", "-id")
    return found


def recharge_get(recharge_id: UUID) -> Recharge:
    """Raises NotFound."""
    found: Recharge | None = Recharge.objects.select_related("package").filter(id=recharge_id).first()
    if found is None:
        raise NotFound("recharge.unknown", "There is no such order.")
    return found
