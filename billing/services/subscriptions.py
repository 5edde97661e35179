"""Subscriptions: opened, paid for, carried on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.selectors import tenant_current
from billing.calculations import Quote, extended, quote
from billing.entitlement import entitlement
from billing.models import Recharge, Subscription
from billing.selectors import Rules, recharge_quote, terms_of
from billing.services.invoices import Draft, Line, invoice_draft
from customers.services import customer_locked
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.money import Money
from ispbilling.kernel.states import state_move
from packages.selectors import package_get


@transaction.atomic
def subscription_create(*, customer_id: UUID, package_id: UUID, actor: str) -> Subscription:
    """A customer takes a package; nothing is paid yet. Raises NotFound, DomainError ``package.inactive``."""
    customer = customer_locked(customer_id)
    package = package_get(package_id)
    if not package.is_active:
        raise DomainError("package.inactive", f"“{package.name}” is not on sale any more.")
    subscription: Subscription = Subscription.objects.create(customer=customer, package=package, created_at=clock.now())
    audit.record(actor=actor, verb="subscription.create", row=subscription, new={"package": package.name})
    return subscription


def subscription_locked(subscription_id: UUID) -> Subscription:
    """The subscription under its row lock, with its package; the customer's lock is taken before it."""
    found: Subscription | None = (
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .select_related("package")
        .filter(id=subscription_id)
        .first()
    )
    if found is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    return found


@transaction.atomic
def recharge_start(*, subscription_id: UUID, periods: int, actor: str) -> Recharge:
    """Order periods at the price shown now. An equal order that waits for its money is given again.

    Raises NotFound, DomainError ``recharge.periods``, Conflict ``subscription.ended``.
    """
    customer_id = Subscription.objects.filter(id=subscription_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    if subscription.state == Subscription.State.ENDED:
        raise Conflict("subscription.ended", "This subscription has ended.")
    currency = tenant_current().currency
    price = recharge_quote(package=subscription.package, periods=periods, currency=currency)
    waiting: Recharge | None = Recharge.objects.filter(
        subscription=subscription,
        package=subscription.package,
        state=Recharge.State.PENDING,
        periods=periods,
        total=price.total.amount,
    ).first()
    if waiting is not None:
        return waiting
    recharge: Recharge = Recharge.objects.create(
        customer_id=customer_id,
        subscription=subscription,
        package=subscription.package,
        periods=periods,
        subtotal=price.subtotal.amount,
        discount_percent=price.discount_percent,
        discount=price.discount.amount,
        total=price.total.amount,
        currency=currency,
        created_at=clock.now(),
    )
    audit.record(actor=actor, verb="recharge.start", row=recharge, new={"periods": periods, "total": recharge.total})
    return recharge


@dataclass(frozen=True, slots=True)
class Extension:
    """A subscription carried on, in memory: ``subscription`` has its new values and is not saved yet."""

    subscription: Subscription
    draft: Draft
    old_expires_at: datetime | None
    expires_at: datetime


def extension(
    *, subscription: Subscription, price: Quote, rules: Rules, at: datetime, is_unbroken: bool = False
) -> Extension:
    """Carry a locked subscription on by what ``price`` buys. The caller posts, saves and issues, in that order."""
    old_anchor, old_expiry = subscription.anchor_at, subscription.expires_at
    anchor, periods, expires_at = extended(
        rules.period_of(subscription.package),
        anchor=old_anchor,
        periods=subscription.periods,
        expires_at=old_expiry,
        bought=price.periods,
        at=at,
        is_unbroken=is_unbroken,
    )
    starts = old_expiry if old_expiry is not None and anchor == old_anchor else at
    line = Line(
        text=f"{subscription.package.name} × {price.periods}",
        quantity=price.periods,
        unit_price=Money(subscription.package.price, price.total.currency),
        discount=price.discount,
        total=price.total,
        subscription_id=subscription.id,
        period_from=starts,
        period_until=expires_at,
    )
    draft = invoice_draft(customer_id=subscription.customer_id, line=line, policy=rules.policy, at=at)
    subscription.anchor_at, subscription.periods, subscription.expires_at = anchor, periods, expires_at
    return Extension(subscription, draft, old_expiry, expires_at)


def extension_from_wallet(
    *, subscription: Subscription, wallet: Money, rules: Rules, at: datetime, is_unbroken: bool
) -> Extension | None:
    """One period bought from the wallet, at its plain price; None when that does not cover it or is not wanted."""
    price = quote(rules.price_of(subscription.package), 1, Decimal(0))
    if not subscription.is_auto_renewed or not price.total or wallet < price.total:
        return None
    return extension(subscription=subscription, price=price, rules=rules, at=at, is_unbroken=is_unbroken)


def subscription_carry_on(done: Extension, *, rules: Rules, at: datetime, by: str) -> None:
    """Save an extended subscription and make it active."""
    subscription = done.subscription
    changes = {
        "anchor_at": subscription.anchor_at,
        "periods": subscription.periods,
        "expires_at": subscription.expires_at,
        "next_change_at": entitlement(terms_of(subscription, rules), at).until,
        "extended_at": at,
    }
    if subscription.state == Subscription.State.ACTIVE:
        for name, value in changes.items():
            setattr(subscription, name, value)
        subscription.save(update_fields=list(changes))
        audit.record(
            actor=by,
            verb="subscription.extend",
            row=subscription,
            old={"expires_at": done.old_expires_at},
            new={"expires_at": done.expires_at},
        )
        return
    state_move(subscription, to=Subscription.State.ACTIVE, by=by, changes=changes)
