"""The passing of time: renewals, cuts and reminders, when they fall due."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction

from accounts.selectors import tenant_current
from billing.calculations import quote
from billing.entitlement import Level, Reason, entitlement
from billing.events import ExpiryNear, SubscriptionChanged, SubscriptionRenewed, SubscriptionSuspended
from billing.models import BillingPolicy, Reminder, Subscription
from billing.selectors import policy_current, terms_of, wallet_of
from billing.services.invoices import invoice_issue_paid
from billing.services.ledger import post
from billing.services.subscriptions import extension, subscription_carry_on, subscription_locked
from customers.services import customer_locked
from ispbilling.kernel import clock
from ispbilling.kernel.events import emit, emit_many
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.states import state_move

log = structlog.get_logger(__name__)

BATCH = 500


def cycle_run() -> dict[str, int]:
    """Do for the current tenant what fell due. Call outside a transaction: each subscription is one of its own.

    Renews from the wallet before it cuts. Returns how many were ``renewed``, ``changed``, ``reminded``.
    """
    counts = {"renewed": 0, "changed": 0, "reminded": 0}
    for subscription_id, customer_id in _due():
        what = _step(subscription_id, customer_id)
        if what:
            counts[what] += 1
    counts["reminded"] = reminders_tell()
    return counts


@transaction.atomic
def _due() -> list[tuple[UUID, UUID]]:
    rows = Subscription.objects.filter(next_change_at__lte=clock.now()).order_by("next_change_at", "id")
    return list(rows.values_list("id", "customer_id")[:BATCH])


@transaction.atomic
def _step(subscription_id: UUID, customer_id: UUID) -> str:
    """One subscription's due step. Looks again under the lock: a payment may have come meanwhile."""
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    at = clock.now()
    if subscription.next_change_at is None or subscription.next_change_at > at:
        return ""
    policy = policy_current()
    if subscription.is_auto_renewed and _renew(subscription, policy, at):
        return "renewed"
    now = entitlement(terms_of(subscription, policy), at)
    to = Subscription.State.GRACE if now.reason is Reason.GRACE else Subscription.State.SUSPENDED
    if now.level is Level.FULL and now.reason is Reason.PAID:
        subscription.next_change_at = now.until
        subscription.save(update_fields=["next_change_at"])
        return ""
    if subscription.state != to:
        state_move(subscription, to=to, by="system:cycle", reason=now.reason, changes={"next_change_at": now.until})
    else:
        subscription.next_change_at = now.until
        subscription.save(update_fields=["next_change_at"])
    key = f"customer:{customer_id}"
    if to == Subscription.State.SUSPENDED:
        assert subscription.expires_at is not None
        emit_many(
            [
                (SubscriptionChanged(subscription_id=subscription.id, customer_id=customer_id), key),
                (
                    SubscriptionSuspended(
                        subscription_id=subscription.id, customer_id=customer_id, expired_at=subscription.expires_at
                    ),
                    key,
                ),
            ]
        )
    failpoint("billing.cycle.before_commit")
    return "changed"


def _renew(subscription: Subscription, policy: BillingPolicy, at: datetime) -> bool:
    """Buy one period from the wallet, if it covers it."""
    tenant = tenant_current()
    price = quote(subscription.package.money(tenant.currency), 1, Decimal(0))
    if not price.total or wallet_of(subscription.customer_id, tenant.currency) < price.total:
        return False
    done = extension(subscription=subscription, price=price, policy=policy, tenant=tenant, at=at, is_unbroken=True)
    post([done.draft.issue, done.draft.pay])
    subscription_carry_on(done, policy=policy, at=at, by="system:cycle")
    today = at.astimezone(tenant.zone_info).date()
    invoice_issue_paid(done.draft, year=today.year, due_on=today.isoformat())
    key = f"customer:{subscription.customer_id}"
    emit_many(
        [
            (SubscriptionChanged(subscription_id=subscription.id, customer_id=subscription.customer_id), key),
            (
                SubscriptionRenewed(
                    subscription_id=subscription.id,
                    customer_id=subscription.customer_id,
                    amount=price.total.amount,
                    currency=price.total.currency,
                    expires_at=done.expires_at,
                ),
                key,
            ),
        ]
    )
    return True


def reminders_tell() -> int:
    """Tell, once each, the customers whose expiry is near. Returns how many were told."""
    with transaction.atomic():
        policy, at = policy_current(), clock.now()
        days = sorted({int(day) for day in policy.remind_days}, reverse=True)
        if not days:
            return 0
        rows = list(
            Subscription.objects.filter(
                state=Subscription.State.ACTIVE, expires_at__gt=at, expires_at__lte=at + timedelta(days=days[0])
            )
            .exclude(next_change_at=None)
            .values_list("id", "customer_id", "expires_at", "anchor_at", "periods")
        )
        held = set(
            Reminder.objects.filter(subscription_id__in=[row[0] for row in rows], expires_at__gt=at).values_list(
                "subscription_id", "expires_at", "days"
            )
        )
    told = 0
    for subscription_id, customer_id, expires_at, anchor_at, _periods in rows:
        due = [
            day
            for day in days
            if at >= expires_at - timedelta(days=day) and (subscription_id, expires_at, day) not in held
        ]
        if due and anchor_at is not None:
            told += _remind(subscription_id, customer_id, expires_at, due)
    return told


@transaction.atomic
def _remind(subscription_id: UUID, customer_id: UUID, expires_at: datetime, due: list[int]) -> int:
    """Write the reminders that are due and tell the nearest. Two runs at once: the unique row lets one through."""
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    at = clock.now()
    if subscription.expires_at != expires_at or subscription.state != Subscription.State.ACTIVE:
        return 0
    held = set(Reminder.objects.filter(subscription=subscription, expires_at=expires_at).values_list("days", flat=True))
    fresh = sorted(set(due) - held)
    if not fresh:
        return 0
    nearest = fresh[0]
    # A package shorter than the reminder was bought inside it: the purchase itself said how long it lasts.
    is_telling = nearest < min(held, default=nearest + 1) and not _bought_within(subscription, nearest)
    Reminder.objects.bulk_create(
        Reminder(
            subscription=subscription,
            expires_at=expires_at,
            days=day,
            is_told=is_telling and day == nearest,
            created_at=at,
        )
        for day in fresh
    )
    if is_telling:
        emit(
            ExpiryNear(subscription_id=subscription.id, customer_id=customer_id, days=nearest, expires_at=expires_at),
            key=f"customer:{customer_id}",
        )
    return int(is_telling)


def _bought_within(subscription: Subscription, days: int) -> bool:
    assert subscription.expires_at is not None
    assert subscription.anchor_at is not None
    return subscription.anchor_at > subscription.expires_at - timedelta(days=days)
