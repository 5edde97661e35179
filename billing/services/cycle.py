"""The passing of time: renewals, cuts and reminders, when they fall due.

A subscription is first renewed from the wallet, if that covers it; only what is left is cut, many in one transaction,
and only if nothing holds the cuts back (``safety``). Whatever goes wrong with one subscription is its own trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction

from billing.entitlement import Entitlement, Reason, entitlement
from billing.events import ExpiryNear, SubscriptionChanged, SubscriptionRenewed, SubscriptionSuspended
from billing.models import Subscription
from billing.selectors import rules_current, terms_of, wallet_of, wallets_of
from billing.services.changes import package_change_make
from billing.services.invoices import invoice_issue_paid
from billing.services.ledger import post
from billing.services.safety import clock_stop, cuts_allowed
from billing.services.subscriptions import extension_from_wallet, subscription_carry_on, subscription_locked
from customers.models import Customer
from customers.services import customer_locked
from ispbilling.kernel import clock, clockwatch, live, tenancy
from ispbilling.kernel.events import emit_many
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.sets import rows_update
from ispbilling.kernel.states import state_move_many

log = structlog.get_logger(__name__)

BATCH = 500
State = Subscription.State
Key = tuple[datetime, UUID]


def cycle_run() -> dict[str, int]:
    """Do for the current tenant all that fell due. Call outside a transaction: it works in batches of its own.

    While the machine's clock jumped or stands behind, time is not taken at its word: nothing falls due.
    Returns how many were ``renewed``, ``changed`` (into grace or cut), ``reminded``, and how many ``failed``.
    """
    counts = dict.fromkeys(("renewed", "changed", "reminded", "failed"), 0)
    seen = clockwatch.look()
    if not seen.may_renew:
        clock_stop(seen=seen)
        return counts
    last: Key | None = None
    may_cut: bool | None = None
    while batch := _due(last):
        last = (batch[-1][0], batch[-1][1])
        failed = _packages_change(batch, counts)
        left = _renew_covered([row for row in batch if row[1] not in failed], counts)
        if left and may_cut is None:
            with transaction.atomic():
                rules = rules_current()
            may_cut = cuts_allowed(rules=rules, at=clock.now(), seen=seen)
        _pass_on_all(left, may_cut=bool(may_cut), counts=counts)
    while told := _remind():
        counts["reminded"] += told
    return counts


@transaction.atomic
def _due(after: Key | None) -> list[tuple[datetime, UUID, UUID]]:
    """(due at, subscription, customer) of the next batch, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT next_change_at, id, customer_id FROM billing_subscription WHERE tenant_id = %s"
            " AND next_change_at <= %s AND (%s::timestamptz IS NULL OR (next_change_at, id) > (%s, %s))"
            " ORDER BY next_change_at, id LIMIT %s",
            [
                tenancy.tenant_id_required(),
                clock.now(),
                after[0] if after else None,
                after[0] if after else None,
                after[1] if after else None,
                BATCH,
            ],
        )
        return cursor.fetchall()


def _pass_on_all(ids: list[UUID], *, may_cut: bool, counts: dict[str, int]) -> None:
    """All in one transaction if that goes well; else in halves, until the one at fault stands alone."""
    if not ids:
        return
    try:
        counts["changed"] += _pass_on(ids, may_cut=may_cut)
    except Exception:
        # Whatever is wrong with one subscription must not keep the others online unpaid, or offline.
        if len(ids) > 1:
            for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
                _pass_on_all(half, may_cut=may_cut, counts=counts)
        else:
            counts["failed"] += 1
            log.exception("cycle.failed", subscription=str(ids[0]))


def _packages_change(batch: Sequence[tuple[datetime, UUID, UUID]], counts: dict[str, int]) -> set[UUID]:
    """Make the changes of package that fell due. Returns those that failed: nothing else is done with them now."""
    with transaction.atomic():
        rows = Subscription.objects.filter(id__in=[row for _, row, _ in batch], package_changes_at__lte=clock.now())
        due = list(rows.order_by("id").values_list("id", "customer_id"))
    failed = set()
    for subscription, customer in due:
        try:
            package_change_make(subscription_id=subscription, customer_id=customer)
        except Exception:
            # One customer's trouble, as with renewals: tried again by the next run.
            log.exception("cycle.failed", subscription=str(subscription), doing="package")
            counts["failed"] += 1
            failed.add(subscription)
    return failed


def _renew_covered(batch: Sequence[tuple[datetime, UUID, UUID]], counts: dict[str, int]) -> list[UUID]:
    """Renew what the wallets cover; returns what is left. What fails to be renewed is not cut either."""
    with transaction.atomic():
        rules = rules_current()
        wallets = wallets_of({customer for _, _, customer in batch}, rules.tenant.currency)
        rows = Subscription.objects.select_related("package", "next_package").filter(
            id__in=[row for _, row, _ in batch]
        )
        covered = {
            row.id
            for row in rows
            if row.is_auto_renewed
            and row.package_to_buy.price
            and row.customer_id in wallets
            and rules.price_of(row.package_to_buy) <= wallets[row.customer_id]
        }
    left = []
    for _, subscription, customer in batch:
        outcome = _renew_safely(subscription, customer) if subscription in covered else "left"
        if outcome == "left":
            left.append(subscription)
        else:
            counts[outcome] += 1
    return left


def _renew_safely(subscription_id: UUID, customer_id: UUID) -> str:
    """``renewed``, ``left`` (the wallet was spent on something else meanwhile) or ``failed``."""
    try:
        return "renewed" if _renew(subscription_id, customer_id) else "left"
    except Exception:
        # One customer's trouble: it is logged and tried again by the next run, and he is not cut for it.
        log.exception("cycle.failed", subscription=str(subscription_id), doing="renew")
        return "failed"


@transaction.atomic
def _renew(subscription_id: UUID, customer_id: UUID) -> bool:
    """Buy one period from the wallet. Looks again under the locks. False: nothing to renew, or too little to do it."""
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    at, rules = clock.now(), rules_current()
    if subscription.next_change_at is None or subscription.next_change_at > at:
        return False
    done = extension_from_wallet(
        subscription=subscription,
        wallet=wallet_of(customer_id, rules.tenant.currency),
        rules=rules,
        at=at,
        is_unbroken=True,
    )
    if done is None:
        return False
    post([done.draft.issue, done.draft.pay])
    subscription_carry_on(done, rules=rules, at=at, by="system:cycle")
    today = rules.local_date(at)
    invoice_issue_paid(done.draft, year=today.year, due_on=today.isoformat())
    price = done.draft.line.total
    key = f"customer:{customer_id}"
    renewed = SubscriptionRenewed(
        subscription_id=subscription.id,
        customer_id=customer_id,
        amount=price.amount,
        currency=price.currency,
        expires_at=done.expires_at,
    )
    changed = SubscriptionChanged(subscription_id=subscription.id, customer_id=customer_id)
    emit_many([(changed, key), (renewed, key)])
    live.say("cuts")
    failpoint("billing.renew.before_commit")
    return True


@transaction.atomic
def _pass_on(ids: Sequence[UUID], *, may_cut: bool) -> int:
    """Let subscriptions become what time has made of them. Returns how many changed their state.

    Customers who are being paid for at this very moment are left for the next run, and looked at again then.
    """
    at, rules = clock.now(), rules_current()
    owners = Subscription.objects.filter(id__in=ids).values("customer_id")
    free = Customer.objects.select_for_update(skip_locked=True, no_key=True).filter(id__in=owners).order_by("id")
    rows = (
        Subscription.objects.select_for_update(no_key=True)
        .filter(id__in=ids, customer_id__in=[customer.id for customer in free], next_change_at__lte=at)
        .order_by("id")
    )
    found = [(row, entitlement(terms_of(row, rules), at)) for row in rows]
    cut = [row for row, now in found if now.reason is Reason.DUE] if may_cut else []
    waiting = [(row, now) for row, now in found if now.reason is not Reason.DUE or not may_cut]
    changed = _cut(cut, at) + _wait(waiting)
    failpoint("billing.cycle.before_commit")
    return changed


def _cut(rows: Sequence[Subscription], at: datetime) -> int:
    changes = {"next_change_at": None, "suspended_at": at, "held_until": None, "hold_reason": ""}
    state_move_many([(row, changes) for row in rows], to=State.SUSPENDED, by="system:cycle", reason=Reason.EXPIRED)
    happenings: list[tuple[object, str]] = []
    for row in rows:
        assert row.expires_at is not None
        key = f"customer:{row.customer_id}"
        happenings += [
            (SubscriptionChanged(subscription_id=row.id, customer_id=row.customer_id), key),
            (
                SubscriptionSuspended(subscription_id=row.id, customer_id=row.customer_id, expired_at=row.expires_at),
                key,
            ),
        ]
    emit_many(happenings)
    live.say("cuts")
    return len(rows)


def _wait(found: Sequence[tuple[Subscription, Entitlement]]) -> int:
    """Write when to look again; what has run out and is not cut yet is in grace. A held-back cut stays due."""
    running_out = [
        (row, {"next_change_at": now.until or row.next_change_at})
        for row, now in found
        if now.reason is not Reason.PAID and row.state == State.ACTIVE
    ]
    state_move_many(running_out, to=State.GRACE, by="system:cycle", reason="run out")
    moved = {row.id for row, _ in running_out}
    later = [row for row, now in found if row.id not in moved and now.until not in (None, row.next_change_at)]
    untils = {row.id: now.until for row, now in found}
    for row in later:
        row.next_change_at = untils[row.id]
    rows_update(later, ["next_change_at"])
    return len(running_out)


@transaction.atomic
def _remind() -> int:
    """Write a batch of reminders that fell due and tell the nearest of each. Returns how many subscriptions it was.

    A reminder for a day before which nothing was bought yet is written and not told: the purchase itself told how long
    it lasts. The unique row lets one of two runs through.
    """
    rules, at = rules_current(), clock.now()
    days = sorted({int(day) for day in rules.policy.remind_days if int(day) > 0})
    if not days:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, s.customer_id, s.expires_at, s.extended_at, array_agg(d.day ORDER BY d.day),"
            " (SELECT min(h.days) FROM billing_reminder h WHERE h.tenant_id = s.tenant_id"
            " AND h.subscription_id = s.id AND h.expires_at = s.expires_at)"
            " FROM (SELECT * FROM billing_subscription WHERE tenant_id = %(tenant)s AND state = 'active'"
            " AND expires_at > %(at)s AND expires_at <= %(at)s + make_interval(days => %(far)s)) s"
            " JOIN unnest(%(days)s::int[]) AS d(day) ON s.expires_at <= %(at)s + make_interval(days => d.day)"
            " WHERE NOT EXISTS (SELECT FROM billing_reminder r WHERE r.tenant_id = s.tenant_id"
            " AND r.subscription_id = s.id AND r.expires_at = s.expires_at AND r.days = d.day)"
            " GROUP BY s.tenant_id, s.id, s.customer_id, s.expires_at, s.extended_at LIMIT %(batch)s",
            {"tenant": tenancy.tenant_id_required(), "at": at, "days": days, "far": days[-1], "batch": BATCH},
        )
        due = cursor.fetchall()
    rows: list[tuple[UUID, datetime, int, bool]] = []
    tellable: dict[tuple[UUID, int], tuple[object, str]] = {}
    for subscription, customer, expires_at, extended_at, fresh, held in due:
        bought_since = extended_at is not None and extended_at >= expires_at - timedelta(days=fresh[0])
        is_told = not bought_since and (held is None or fresh[0] < held)
        rows += [(subscription, expires_at, day, is_told and day == fresh[0]) for day in fresh]
        if is_told:
            near = ExpiryNear(subscription_id=subscription, customer_id=customer, days=fresh[0], expires_at=expires_at)
            tellable[subscription, fresh[0]] = (near, f"customer:{customer}")
    written = _reminders_write(rows, at)
    emit_many([told for key, told in tellable.items() if key in written])
    if due:
        failpoint("billing.remind.before_commit")
    return len(due)


def _reminders_write(rows: Sequence[tuple[UUID, datetime, int, bool]], at: datetime) -> set[tuple[UUID, int]]:
    """(subscription, days) of the rows that were new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_reminder (id, tenant_id, subscription_id, expires_at, days, is_told, created_at)"
            " SELECT r.id, %s, r.subscription, r.expires, r.days, r.told, %s"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::int[], %s::bool[])"
            " AS r(id, subscription, expires, days, told)"
            " ON CONFLICT DO NOTHING RETURNING subscription_id, days",
            [
                tenancy.tenant_id_required(),
                at,
                [uuid7() for _ in rows],
                [row[0] for row in rows],
                [row[1] for row in rows],
                [row[2] for row in rows],
                [row[3] for row in rows],
            ],
        )
        return set(cursor.fetchall())
