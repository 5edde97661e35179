"""Reads of payments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.ids import is_token
from ispbilling.kernel.money import Money
from payments.models import Payment, PaymentAttempt, PaymentEvent, ProviderAccount, StatementLine
from payments.providers.base import providers


def accounts_offered(*, push_only: bool = False) -> list[ProviderAccount]:
    """Ways a customer can pay by himself, in the tenant's order."""
    rows = ProviderAccount.objects.filter(is_enabled=True).order_by("sort_order", "label")
    return [row for row in rows if not push_only or providers.get(row.provider).can_push]


def unit_asked(accounts: Collection[ProviderAccount]) -> Decimal:
    """The coarsest unit of these ways of paying: an amount is rounded up to it before a telephone is asked."""
    return max((providers.get(row.provider).smallest_unit for row in accounts), default=Decimal("0.01"))


def accounts_all() -> list[ProviderAccount]:
    """Every account of the tenant, those in use first, in its order."""
    return list(ProviderAccount.objects.order_by("-is_enabled", "sort_order", "label", "id"))


def accounts_enabled() -> QuerySet[ProviderAccount]:
    """Ways of paying that are in use, cash among them."""
    return ProviderAccount.objects.filter(is_enabled=True)


def account_get(account_id: UUID) -> ProviderAccount:
    """Raises NotFound."""
    found: ProviderAccount | None = ProviderAccount.objects.filter(id=account_id).first()
    if found is None:
        raise NotFound("provider.account", "There is no such account.")
    return found


def cash_account() -> ProviderAccount | None:
    """Where cash over the counter is entered; None for a tenant that takes none."""
    rows = ProviderAccount.objects.filter(is_enabled=True, provider="cash")
    found: ProviderAccount | None = rows.order_by("sort_order", "label").first()
    return found


def payments_of(customer_id: UUID) -> QuerySet[Payment]:
    """A customer's payments, newest first."""
    rows: QuerySet[Payment] = Payment.objects.filter(customer_id=customer_id).select_related("account")
    return rows.order_by("-created_at", "-id")


#: A gateway that was not heard for so long is asked for a sign of life,
ASK_AFTER = timedelta(minutes=5)
#: and one that was not heard for so long is silent.
SILENT_AFTER = timedelta(minutes=15)


def accounts_to_ask() -> list[tuple[UUID, UUID]]:
    """(tenant, account) of every gateway that has been quiet, over all tenants."""
    names = [name for name in providers.names() if providers.get(name).can_ping]
    now = clock.machine_now()
    with tenancy.platform("payments: which gateways are quiet"):
        rows = ProviderAccount.objects.filter(is_enabled=True, provider__in=names, tenant__is_active=True)
        quiet = rows.filter(Q(heard_at=None) | Q(heard_at__lt=now - ASK_AFTER) | Q(heard_at__gt=now))
        return list(quiet.values_list("tenant_id", "id"))


def statements_due() -> list[tuple[UUID, UUID]]:
    """(tenant, account) of every statement that is to be read, over all tenants."""
    with tenancy.platform("payments: which statements are due"):
        due = clock.has_come("statement_due_at", longest=ProviderAccount.STATEMENT_EVERY)
        rows = ProviderAccount.objects.filter(due, tenant__is_active=True)
        return list(rows.values_list("tenant_id", "id"))


@dataclass(frozen=True, slots=True)
class Silence:
    """A gateway that used to speak and does not. ``since``: it answers no question; None = nobody asked it yet."""

    label: str
    heard_at: datetime
    since: datetime | None


def gateways_silent() -> list[Silence]:
    """Gateways of the tenant through which money cannot be known to arrive, by name. Machine time."""
    rows = ProviderAccount.objects.filter(is_enabled=True, heard_at__lt=clock.machine_now() - SILENT_AFTER)
    names = [name for name in providers.names() if providers.get(name).can_ping]
    rows = rows.filter(provider__in=names).order_by("label")
    return [Silence(row.label, row.heard_at, row.silent_since) for row in rows if row.heard_at is not None]


def garden_hosts() -> set[str]:
    """Host names that must be reachable for whoever pays by one of the tenant's ways."""
    names = ProviderAccount.objects.filter(is_enabled=True).values_list("provider", flat=True).distinct()
    return {host for name in names if name in providers for host in providers.get(name).garden_hosts}


def payment_get(payment_id: UUID) -> Payment:
    """Raises NotFound."""
    found: Payment | None = Payment.objects.select_related("account").filter(id=payment_id).first()
    if found is None:
        raise NotFound("payment.unknown", "There is no such payment.")
    return found


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a list of payments is narrowed by; days are the tenant's, both of them included."""

    q: str = ""
    state: str = ""
    account: UUID | None = None
    since: date | None = None
    until: date | None = None
    least: Decimal | None = None
    most: Decimal | None = None


def payments_narrowed(by: Narrowed, *, zone: ZoneInfo) -> QuerySet[Payment]:
    """Payments, newest first, by what was asked for."""
    rows = payments_recent()
    if by.q:
        rows = rows.filter(_found(by.q))
    if by.state:
        rows = rows.filter(state=by.state)
    if by.account:
        rows = rows.filter(account_id=by.account)
    if by.since:
        rows = rows.filter(created_at__gte=datetime.combine(by.since, time(), tzinfo=zone))
    if by.until and by.until < date.max:
        rows = rows.filter(created_at__lt=datetime.combine(by.until + timedelta(days=1), time(), tzinfo=zone))
    if by.least is not None:
        rows = rows.filter(amount__gte=by.least)
    return rows.filter(amount__lte=by.most) if by.most is not None else rows


def _found(text: str) -> Q:
    """Whole words: a receipt, our reference, a customer's code, the end of a telephone number, what a payer typed."""
    word = text.strip()
    referenced = PaymentAttempt.objects.filter(payment_id=OuterRef("id"), reference=word.upper())
    met: Q = Q(receipt=word) | Q(receipt=word.upper()) | Q(payer_text__iexact=word) | Q(Exists(referenced))
    met |= Q(customer__code=word.upper()) | Q(customer__name__istartswith=word)
    digits = "".join(character for character in word if character.isdigit()).lstrip("0")
    return met | Q(phone__endswith=digits) if len(digits) >= 6 else met


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What came on one local day: by account in the order of ``accounts_all``, and together."""

    day: date
    by_account: list[Money]
    total: Money
    count: int


def payments_daily(*, accounts: Sequence[ProviderAccount], days: int, currency: str, zone: ZoneInfo) -> list[DayTotal]:
    """The last so many local days, today first. One query."""
    today = clock.today(zone)
    begin = datetime.combine(today.date() - timedelta(days=days - 1), time(), tzinfo=zone)
    rows = (
        Payment.objects.filter(state=Payment.State.SUCCEEDED, paid_at__gte=begin, currency=currency)
        .annotate(day=TruncDate("paid_at", tzinfo=zone))
        .values("day", "account_id")
        .annotate(sum=Sum("paid_amount"), times=Count("id"))
        .order_by("day")
    )
    found = {(row["day"], row["account_id"]): (Money(row["sum"], currency), row["times"]) for row in rows}
    nothing = (Money.zero(currency), 0)
    totals = []
    for number in range(days):
        day = today.date() - timedelta(days=number)
        parts = [found.get((day, account.id), nothing) for account in accounts]
        total = sum((money for money, _ in parts), Money.zero(currency))
        totals.append(DayTotal(day, [money for money, _ in parts], total, sum(times for _, times in parts)))
    return totals


def events_of(payment_id: UUID, limit: int = 50) -> list[PaymentEvent]:
    """Callbacks to a payment's attempts as they came, oldest first."""
    rows = PaymentEvent.objects.filter(attempt__payment_id=payment_id).order_by("received_at", "id")
    return list(rows[:limit])


def attempts_of(payment_id: UUID) -> list[PaymentAttempt]:
    """Oldest first."""
    return list(PaymentAttempt.objects.filter(payment_id=payment_id).order_by("started_at", "id"))


def payments_recent() -> QuerySet[Payment]:
    """All payments, newest first."""
    rows: QuerySet[Payment] = Payment.objects.select_related("account", "customer")
    return rows.order_by("-created_at", "-id")


def statement_lines_open() -> QuerySet[StatementLine]:
    """Lines of statements that no payment has, newest first."""
    paid = Payment.objects.filter(receipt_family=OuterRef("receipt_family"), receipt=OuterRef("receipt"))
    rows: QuerySet[StatementLine] = StatementLine.objects.exclude(Exists(paid)).select_related("account")
    return rows.order_by("-at", "-id")


def statement_line_get(line_id: UUID) -> StatementLine:
    """Raises NotFound."""
    found: StatementLine | None = StatementLine.objects.select_related("account").filter(id=line_id).first()
    if found is None:
        raise NotFound("statement.unknown", "There is no such line.")
    return found


def hook_find(account_token: str, attempt_token: str) -> tuple[ProviderAccount, PaymentAttempt | None] | None:
    """The account and attempt a callback's path names, over all tenants."""
    if not is_token(account_token):
        return None
    with tenancy.platform("payments: whose callback is this"):
        account = ProviderAccount.objects.filter(token=account_token).first()
        if account is None:
            return None
        attempts = PaymentAttempt.objects.filter(account=account, token=attempt_token)
        return account, attempts.first() if is_token(attempt_token) else None


def attempt_of_reference(provider: str, gateway_reference: str) -> PaymentAttempt | None:
    """The attempt of a gateway's own reference, over all tenants; None unless exactly one."""
    with tenancy.platform("payments: whose callback is this"):
        rows = PaymentAttempt.objects.filter(account__provider=provider, gateway_reference=gateway_reference)
        found = list(rows.select_related("account")[:2])
    return found[0] if len(found) == 1 else None


def tenants_with_due_attempts() -> list[UUID]:
    """For the sweep: whose gateways have something to be asked."""
    with tenancy.platform("payments: whose attempts are due"):
        rows = PaymentAttempt.objects.filter(clock.has_come("next_query_at", longest=PaymentAttempt.LONGEST_WAIT))
        return list(rows.values_list("tenant_id", flat=True).distinct())
