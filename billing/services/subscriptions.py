"""Subscriptions: opened, paid for, carried on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.calculations import Quote, extended
from billing.models import Recharge, Subscription
from billing.selectors import Rules, next_change_of, recharge_quote, rules_current
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
        .select_related("package", "next_package")
        .filter(id=subscription_id)
        .first()
    )
    if found is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    return found


@transaction.atomic
def recharge_start(*, subscription_id: UUID, periods: int, actor: str) -> Recharge:
    """Order periods at the price shown now. An equal order that waits for its money is given again.

    Raises NotFound, DomainError ``recharge.periods``, Conflict ``subscription.ended``, ``subscription.stopped``.
    """
    customer_id = Subscription.objects.filter(id=subscription_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    if subscription.state == Subscription.State.ENDED:
        raise Conflict("subscription.ended", "This subscription has ended.")
    if subscription.stopped_at is not None:
        raise Conflict("subscription.stopped", "This line is stopped. Please call us before you pay.")
    rules, package = rules_current(), subscription.package_to_buy
    price = recharge_quote(package=package, periods=periods, rules=rules)
    waiting: Recharge | None = Recharge.objects.filter(
        subscription=subscription,
        package=package,
        state=Recharge.State.PENDING,
        periods=periods,
        total=price.total.amount,
        tax_percent=price.tax_percent,
    ).first()
    if waiting is not None:
        return waiting
    recharge: Recharge = Recharge.objects.create(
        customer_id=customer_id,
        subscription=subscription,
        package=package,
        periods=periods,
        subtotal=price.subtotal.amount,
        discount_percent=price.discount_percent,
        discount=price.discount.amount,
        total=price.total.amount,
        tax_percent=price.tax_percent,
        currency=price.total.currency,
        created_at=clock.now(),
    )
    audit.record(actor=actor, verb="recharge.start", row=recharge, new={"periods": periods, "total": recharge.total})
    return recharge


def package_switch(subscription: Subscription) -> None:
    """In memory: what was ordered to come is what he has. Its periods are counted from the change."""
    assert subscription.next_package is not None
    subscription.package, subscription.next_package = subscription.next_package, None
    subscription.package_changes_at = None


def package_columns(subscription: Subscription) -> dict[str, Any]:
    """What a change of package writes."""
    return {
        "package_id": subscription.package_id,
        "next_package_id": subscription.next_package_id,
        "package_changes_at": subscription.package_changes_at,
    }


@dataclass(frozen=True, slots=True)
class Extension:
    """A subscription carried on, in memory: ``subscription`` has its new values and is not saved yet."""

    subscription: Subscription
    draft: Draft
    old_expires_at: datetime | None
    expires_at: datetime
    is_switched: bool = False  # its package changed on the way


def extension(
    *, subscription: Subscription, price: Quote, rules: Rules, at: datetime, is_unbroken: bool = False
) -> Extension:
    """Carry a locked subscription on by what ``price`` buys. The caller posts, saves and issues, in that order.

    What it buys is of the package that is to come, if one was ordered; a change that is due already is made first.
    """
    is_switched = subscription.package_changes_at is not None and subscription.package_changes_at <= at
    if is_switched:
        package_switch(subscription)
    package = subscription.package_to_buy
    old_anchor, old_expiry = subscription.anchor_at, subscription.expires_at
    anchor, periods, expires_at = extended(
        rules.period_of(package),
        anchor=old_anchor,
        periods=subscription.periods,
        expires_at=old_expiry,
        bought=price.periods,
        at=at,
        is_unbroken=is_unbroken,
    )
    starts = old_expiry if old_expiry is not None and anchor == old_anchor else at
    line = Line(
        text=package.name if price.periods == 1 else f"{package.name} × {price.periods}",
        quantity=price.periods,
        unit_price=price.unit_price,
        discount=price.discount,
        total=price.total,
        tax_percent=price.tax_percent,
        subscription_id=subscription.id,
        period_from=starts,
        period_until=expires_at,
    )
    draft = invoice_draft(customer_id=subscription.customer_id, line=line, tax_name=rules.policy.tax_name, at=at)
    subscription.anchor_at, subscription.periods, subscription.expires_at = anchor, periods, expires_at
    return Extension(subscription, draft, old_expiry, expires_at, is_switched)


def extension_from_wallet(
    *, subscription: Subscription, wallet: Money, rules: Rules, at: datetime, is_unbroken: bool
) -> Extension | None:
    """One period bought from the wallet, at its plain price; None when that does not cover it or is not wanted."""
    price = rules.quote_of(subscription.package_to_buy, 1)
    if not subscription.is_auto_renewed or not price.total or wallet < price.total:
        return None
    return extension(subscription=subscription, price=price, rules=rules, at=at, is_unbroken=is_unbroken)


def subscription_carry_on(done: Extension, *, rules: Rules, at: datetime, by: str) -> None:
    """Save an extended subscription and make it active."""
    subscription = done.subscription
    changes: dict[str, Any] = {
        "anchor_at": subscription.anchor_at,
        "periods": subscription.periods,
        "expires_at": subscription.expires_at,
        "next_change_at": next_change_of(subscription, rules, at),
        "extended_at": at,
    }
    if done.is_switched:
        changes |= package_columns(subscription)
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
