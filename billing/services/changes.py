"""Changes of package: at once, with what is left of the old one reckoned in, or when the time that is paid for ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.calculations import Change, TooMuchTime, changed_into_time, changed_into_wallet
from billing.events import SubscriptionChanged
from billing.models import Subscription
from billing.papers import paid_times
from billing.selectors import Rules, next_change_of, rules_current, subscription_get, wallet_of
from billing.services.credits import CreditDraft, credit_draft, credit_write, invoices_locked
from billing.services.invoices import Draft, Line, invoice_draft, invoice_issue_paid
from billing.services.ledger import post
from billing.services.subscriptions import package_columns, package_switch, subscription_locked
from customers.services import customer_locked
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.events import emit
from ispbilling.kernel.money import Money
from packages.models import Package
from packages.selectors import package_get


class ChangeInto(StrEnum):
    """What becomes of the worth that is left of the old package."""

    TIME = "time"  # time of the new one, as much as it buys
    WALLET = "wallet"  # it goes into the wallet, and the wallet pays one whole period


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A change of package as it will be booked. ``into`` is empty when nothing is running: only the package changes.

    ``worth`` is what the time that is left was paid with, ``price`` what the new package's first stretch costs,
    ``wallet`` what the customer has afterwards; ``missing`` what he lacks, and then it cannot be done. ``seen`` says
    all this in one text: given to ``package_change`` it is booked exactly so, or refused.
    """

    subscription: Subscription
    package: Package
    into: str
    as_of: datetime
    worth: Money
    price: Money
    wallet: Money
    missing: Money
    old_expires_at: datetime | None
    expires_at: datetime | None
    reckoned: Change | None

    @property
    def seen(self) -> str:
        figures = (self.worth, self.price, self.wallet, self.missing)
        until = self.expires_at.isoformat() if self.expires_at else ""
        return "~".join([self.as_of.isoformat(), until, *(str(money.amount) for money in figures)])


#: So long what was seen is booked as it was seen.
SEEN_FOR = timedelta(minutes=15)


@transaction.atomic
def package_change_preview(*, subscription_id: UUID, package_id: UUID, into: str = ChangeInto.TIME) -> PackageChange:
    """What changing to a package now would come to. Reads only.

    Raises NotFound; DomainError ``change.into``, ``package.inactive``, ``change.free`` (the new one costs nothing),
    ``change.worthless`` (what is left was not paid for, or too little to buy time), ``change.far``; Conflict
    ``change.same``, ``subscription.ended``.
    """
    subscription = subscription_get(subscription_id)
    return _reckoned(subscription, package_get(package_id), into, rules_current(), clock.now())


@transaction.atomic
def package_change(
    *, subscription_id: UUID, package_id: UUID, into: str = ChangeInto.TIME, seen: str = "", actor: str
) -> Subscription:
    """Change to a package now: credit notes over what is left, an invoice over what it buys, the new expiry.

    ``seen`` is a preview's: then exactly that is booked. Raises as ``package_change_preview``; Conflict
    ``change.moved`` when what was seen does not hold any more, DomainError ``change.short`` when money is missing.
    """
    customer_id = _customer_of(subscription_id)
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    at, rules = clock.now(), rules_current()
    as_of = _seen_at(seen, at, subscription) if seen else at
    change = _reckoned(subscription, package_get(package_id), into, rules, as_of)
    if seen and (change.seen != seen or _is_over(subscription, change, at)):
        raise _moved()
    if change.missing:
        raise DomainError("change.short", f"{change.missing} is missing in the wallet for that.")
    old = {"package": subscription.package.name, "expires_at": subscription.expires_at}
    subscription.package, subscription.next_package, subscription.package_changes_at = change.package, None, None
    if change.reckoned is None:
        _save(subscription, _anchored(subscription))
    else:
        _book(subscription, change, change.reckoned, rules, at, actor)
    new = {"package": change.package.name, "expires_at": subscription.expires_at, "worth": change.worth.amount}
    audit.record(actor=actor, verb="subscription.package", row=subscription, old=old, new=new)
    _tell(subscription)
    return subscription


@transaction.atomic
def package_change_schedule(*, subscription_id: UUID, package_id: UUID, actor: str) -> Subscription:
    """Change to a package when the time that is paid for ends; the next period is bought of it, at its price then.

    Where nothing is running the package changes now. Raises NotFound, DomainError ``package.inactive``, Conflict
    ``change.same``, ``change.bought`` (time of the one that is to come was bought), ``subscription.ended``.
    """
    customer_locked(_customer_of(subscription_id))
    subscription = subscription_locked(subscription_id)
    at, package = clock.now(), package_get(package_id)
    _check(subscription, package, is_now=False)
    old = {"package": subscription.package.name, "next": getattr(subscription.next_package, "name", None)}
    _check_unbought(subscription)
    if subscription.expires_at is not None and subscription.expires_at > at:
        subscription.next_package, subscription.package_changes_at = package, subscription.expires_at
        new = {"next": package.name, "from": subscription.expires_at}
    else:
        subscription.package, subscription.next_package, subscription.package_changes_at = package, None, None
        new = {"package": package.name}
    _save(subscription, _anchored(subscription))
    audit.record(actor=actor, verb="subscription.package", row=subscription, old=old, new=new)
    _tell(subscription)
    return subscription


@transaction.atomic
def package_change_cancel(*, subscription_id: UUID, actor: str) -> Subscription:
    """Take back an ordered change. Raises NotFound, Conflict ``change.none``, ``change.bought``."""
    customer_locked(_customer_of(subscription_id))
    subscription = subscription_locked(subscription_id)
    if subscription.next_package is None:
        raise Conflict("change.none", "No change of package is ordered.")
    _check_unbought(subscription)
    old = {"next": subscription.next_package.name}
    subscription.next_package, subscription.package_changes_at = None, None
    _save(subscription, {})
    audit.record(actor=actor, verb="subscription.package_keep", row=subscription, old=old)
    return subscription


@transaction.atomic
def package_change_make(*, subscription_id: UUID, customer_id: UUID) -> bool:
    """Make an ordered change that fell due. False: none is due any more."""
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    at = clock.now()
    if subscription.package_changes_at is None or subscription.package_changes_at > at:
        return False
    old = {"package": subscription.package.name}
    package_switch(subscription)
    due = next_change_of(subscription, rules_current(), at) or subscription.next_change_at
    _save(subscription, {"next_change_at": due})
    new = {"package": subscription.package.name}
    audit.record(actor="system:cycle", verb="subscription.package", row=subscription, old=old, new=new)
    _tell(subscription)
    return True


def _customer_of(subscription_id: UUID) -> UUID:
    found: UUID | None = Subscription.objects.filter(id=subscription_id).values_list("customer_id", flat=True).first()
    if found is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    return found


def _check(subscription: Subscription, package: Package, *, is_now: bool) -> None:
    if subscription.state == Subscription.State.ENDED or subscription.stopped_at is not None:
        raise Conflict("subscription.ended", "This subscription has ended.")
    if package.id == subscription.package_id and (is_now or subscription.next_package_id is None):
        raise Conflict("change.same", f"“{package.name}” is the package he has.")
    if package.id == subscription.package_id:
        raise Conflict("change.same", f"“{package.name}” is the package he has: take the ordered change back instead.")
    if not package.is_active:
        raise DomainError("package.inactive", f"“{package.name}” is not on sale any more.")


def _check_unbought(subscription: Subscription) -> None:
    changes_at, expires_at = subscription.package_changes_at, subscription.expires_at
    if changes_at is not None and expires_at is not None and changes_at < expires_at:
        raise Conflict("change.bought", "Time of the package that is to come was bought already: change it now.")


def _reckoned(subscription: Subscription, package: Package, into: str, rules: Rules, at: datetime) -> PackageChange:
    if into not in set(ChangeInto):
        raise DomainError("change.into", f"What is left becomes {' or '.join(ChangeInto)}.")
    _check(subscription, package, is_now=True)
    currency, expires_at = rules.tenant.currency, subscription.expires_at
    wallet, nothing = wallet_of(subscription.customer_id, currency), Money.zero(rules.tenant.currency)
    if expires_at is None or expires_at <= at:
        return PackageChange(
            subscription, package, "", at, nothing, nothing, wallet, nothing, expires_at, expires_at, None
        )
    price = rules.price_of(package)
    if not price:
        raise DomainError("change.free", f"“{package.name}” costs nothing: change to it when the paid time ends.")
    reckon = changed_into_time if into == ChangeInto.TIME else changed_into_wallet
    try:
        change = reckon(
            paid_times(subscription.id, at=at),
            price=price,
            period=rules.period_of(package),
            wallet=wallet,
            at=at,
            expires_at=expires_at,
        )
    except TooMuchTime as error:
        raise DomainError(
            "change.far", "What is left would buy more than ten years: let it go into the wallet instead."
        ) from error
    if into == ChangeInto.TIME and change.expires_at <= at:
        raise DomainError(
            "change.worthless", "What was paid for the time that is left buys nothing: change when it ends."
        )
    return PackageChange(
        subscription,
        package,
        into,
        at,
        change.worth,
        change.price,
        change.wallet,
        change.missing,
        expires_at,
        change.expires_at,
        change,
    )


def _seen_at(seen: str, at: datetime, subscription: Subscription) -> datetime:
    """The instant a preview was made for, if what it said may still hold."""
    try:
        as_of = datetime.fromisoformat(seen.partition("~")[0])
    except ValueError:
        raise _moved() from None
    if as_of.tzinfo is None or not at - SEEN_FOR <= as_of <= at:
        raise _moved()
    if subscription.extended_at is not None and subscription.extended_at > as_of:
        raise _moved()
    return as_of


def _is_over(subscription: Subscription, change: PackageChange, at: datetime) -> bool:
    """Whether what was seen running has run out by now, or what it would buy: neither can be carried on."""
    ends = (subscription.expires_at, change.expires_at)
    return change.reckoned is not None and any(end is not None and end <= at for end in ends)


def _moved() -> Conflict:
    return Conflict("change.moved", "Something has changed since you looked. Please look again.")


def _book(
    subscription: Subscription, change: PackageChange, reckoned: Change, rules: Rules, at: datetime, actor: str
) -> None:
    """Credit what is left, sell what it buys, and let the subscription run on by it."""
    name, reason = change.package.name, f"Change to {change.package.name}"
    credits = _credits(reckoned, reason, as_of=change.as_of, at=at)
    line = Line(
        text=f"{name} × 1" if change.into == ChangeInto.WALLET else name,
        quantity=1,
        unit_price=change.price,
        discount=Money.zero(change.price.currency),
        total=change.price,
        tax_percent=rules.tax_of(change.package),
        subscription_id=subscription.id,
        period_from=change.as_of,
        period_until=reckoned.expires_at,
    )
    draft = invoice_draft(customer_id=subscription.customer_id, line=line, tax_name=rules.policy.tax_name, at=at)
    post([*(credit.entry for credit in credits), draft.issue, draft.pay])
    subscription.expires_at = reckoned.expires_at
    moved = _anchored(subscription)
    if change.into == ChangeInto.WALLET:
        moved |= {"anchor_at": change.as_of, "periods": 1}
    moved["expires_at"] = reckoned.expires_at
    _save(subscription, {**moved, "extended_at": at, "next_change_at": next_change_of(subscription, rules, at)})
    _number(credits, draft, rules, at, actor)


def _credits(reckoned: Change, reason: str, *, as_of: datetime, at: datetime) -> list[CreditDraft]:
    amounts: dict[UUID, Money] = {}
    for time, worth in reckoned.given_back:
        amounts[time.source] = amounts.get(time.source, Money.zero(worth.currency)) + worth
    invoices = invoices_locked(list(amounts))
    return [
        credit_draft(invoice=invoices[invoice_id], amount=amount, reason=reason, at=at, unused_from=as_of)
        for invoice_id, amount in sorted(amounts.items())
    ]


def _number(credits: Sequence[CreditDraft], draft: Draft, rules: Rules, at: datetime, actor: str) -> None:
    today = rules.local_date(at)
    for credit in credits:
        credit_write(credit, year=today.year, by=actor)
    invoice_issue_paid(draft, year=today.year, due_on=today.isoformat())


def _anchored(subscription: Subscription) -> dict[str, Any]:
    """Periods of another package are counted from where the time that is paid for ends."""
    return {"anchor_at": subscription.expires_at, "periods": 0}


def _save(subscription: Subscription, changes: Mapping[str, Any]) -> None:
    for column, value in changes.items():
        setattr(subscription, column, value)
    subscription.save(update_fields=[*package_columns(subscription), *changes])


def _tell(subscription: Subscription) -> None:
    emit(
        SubscriptionChanged(subscription_id=subscription.id, customer_id=subscription.customer_id),
        key=f"customer:{subscription.customer_id}",
    )
