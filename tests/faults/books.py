"""What is wrong with a tenant's books: everything is computed anew from what came in, by pure functions.

Nothing stored is believed but receipts (money that came), invoices (when something was bought) and payments (what the
gateway was asked). From those: wallets, periods, expiries, states, levels. Each check gives ``Wrong`` entries; none is
the only good answer. Called inside the tenant's context and a transaction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from billing.calculations import extended
from billing.entitlement import Entitlement, Level, Terms, entitlement
from billing.models import (
    CutStop,
    Invoice,
    InvoiceLine,
    LedgerAccount,
    LedgerEntry,
    LedgerLeg,
    Receipt,
    Recharge,
    Subscription,
)
from billing.selectors import Rules, rules_current
from billing.services import ledger_check
from ispbilling.kernel import clock
from ispbilling.kernel.models import Event
from payments.models import Payment, PaymentEvent

State = Subscription.State


@dataclass(frozen=True, slots=True)
class Wrong:
    """``kind`` names the promise that is broken, ``subject`` whom it is about (an id, a telephone, a line's name)."""

    kind: str
    subject: str
    says: str

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.says}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription as its invoices make it. ``is_cut``: its time is over, so the cycle must have cut it."""

    anchor_at: datetime | None
    periods: int
    expires_at: datetime | None
    is_cut: bool
    level: Level

    @property
    def state(self) -> State:
        if self.expires_at is None:
            return State.PENDING
        return State.SUSPENDED if self.is_cut else State.ACTIVE


def books_wrong() -> list[Wrong]:
    """Everything but the far ends."""
    standings = standings_of()
    return [
        *_ledger(),
        *_money(),
        *_wallets(standings),
        *_subscriptions(standings),
        *_queues(),
    ]


def standings_of() -> dict[UUID, Standing]:
    """Every subscription of the tenant, from its invoices alone."""
    rules, now = rules_current(), clock.now()
    booked = set(Receipt.objects.values_list("customer_id", "booked_at"))
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.select_related("invoice").order_by("invoice__issued_at", "invoice__number"):
        lines[line.subscription_id].append(line)
    found = {}
    for row in Subscription.objects.select_related("package"):
        anchor: datetime | None = None
        periods, expires_at = 0, None
        for line in lines[row.id]:
            at = line.invoice.issued_at
            anchor, periods, expires_at = extended(
                rules.period_of(row.package),
                anchor=anchor,
                periods=periods,
                expires_at=expires_at,
                bought=line.quantity,
                at=at,
                is_unbroken=(row.customer_id, at) not in booked,  # bought by the cycle, before anybody was cut
            )
        is_cut = expires_at is not None and expires_at <= now
        found[row.id] = Standing(anchor, periods, expires_at, is_cut, _entitled(expires_at, is_cut, rules, now).level)
    return found


def _entitled(expires_at: datetime | None, is_cut: bool, rules: Rules, now: datetime) -> Entitlement:
    terms = Terms(
        expires_at=expires_at,
        is_ended=False,
        suspension=Level(rules.policy.suspension_mode),
        grace=timedelta(0),
        is_suspended=is_cut,
    )
    return entitlement(terms, now)


def _ledger() -> Iterator[Wrong]:
    for found in ledger_check():
        yield Wrong("ledger", found["id"], f"{found['what']} is {found['is']}, should be {found['should_be']}")
    keys = Counter(LedgerEntry.objects.values_list("key", flat=True))
    wanted = {f"receipt:{one}" for one in Receipt.objects.values_list("id", flat=True)}
    for invoice in Invoice.objects.values_list("id", flat=True):
        wanted |= {f"invoice:{invoice}", f"allocation:{invoice}"}
    for key in wanted ^ set(keys):
        yield Wrong("ledger.entries", key, "missing in the book" if key in wanted else "in the book for nothing")
    numbers = sorted(int(number[-6:]) for number in Invoice.objects.values_list("number", flat=True))
    if numbers != list(range(1, len(numbers) + 1)):
        yield Wrong("invoice.numbers", "all", f"not without gaps: {numbers}")


def _money() -> Iterator[Wrong]:
    """Each settled payment has one receipt, over what came; nothing else has one."""
    receipts: dict[UUID, list[Receipt]] = defaultdict(list)
    for receipt in Receipt.objects.all():
        receipts[receipt.payment_id].append(receipt)
    for payment in Payment.objects.all():
        booked = receipts.pop(payment.id, [])
        wanted = 1 if payment.state == Payment.State.SUCCEEDED else 0
        if len(booked) != wanted:
            yield Wrong("receipt.once", str(payment.id), f"{len(booked)} receipts of a payment that is {payment.state}")
        for receipt in booked:
            if (receipt.amount, receipt.customer_id) != (payment.paid_amount, payment.customer_id):
                yield Wrong("receipt.amount", str(payment.id), f"{receipt.amount} booked, {payment.paid_amount} came")
            if receipt.number is not None and receipt.number != payment.receipt:
                yield Wrong("receipt.number", str(payment.id), f"{receipt.number} booked, {payment.receipt} told")
    for payment_id in receipts:
        yield Wrong("receipt.once", str(payment_id), "a receipt of no payment")
    families = Receipt.objects.exclude(number=None).values_list("family", "number")
    for (family, number), count in Counter(families).items():
        if count > 1:
            yield Wrong("receipt.once", f"{family} {number}", f"booked {count} times")


def _wallets(standings: dict[UUID, Standing]) -> Iterator[Wrong]:
    """Every account is what receipts and invoices make it, and no money lies idle while its owner is cut."""
    wanted: Counter[tuple[str, str]] = Counter()
    for receipt in Receipt.objects.select_related("payment"):
        owner = ("wallet", str(receipt.customer_id)) if receipt.customer_id else ("suspense", "")
        wanted[owner] -= receipt.amount
        wanted["clearing", str(receipt.payment.account_id)] += receipt.amount
    for invoice in Invoice.objects.all():
        wanted["wallet", str(invoice.customer_id)] += invoice.total
        wanted["revenue", ""] -= invoice.net
        wanted["tax", ""] -= invoice.tax
    legs: Counter[tuple[str, str]] = Counter()
    owners = {row.id: (row.kind, row.owner) for row in LedgerAccount.objects.all()}
    for account_id, amount in LedgerLeg.objects.values_list("account_id", "amount"):
        legs[owners[account_id]] += amount
    for name in set(wanted) | set(legs):
        if wanted[name] != legs[name]:
            yield Wrong("ledger.account", " ".join(name), f"{legs[name]} in the book, {wanted[name]} by receipts")
    for name, amount in wanted.items():
        if name[0] == "wallet" and amount > 0:
            yield Wrong("wallet.negative", name[1], f"{amount} spent that never came")
    for row in Subscription.objects.select_related("package"):
        wallet = -wanted["wallet", str(row.customer_id)]
        if standings[row.id].state != State.ACTIVE and wallet >= row.package.price > 0:
            yield Wrong("wallet.idle", str(row.customer_id), f"{wallet} in the wallet, and {standings[row.id].state}")


def _subscriptions(standings: dict[UUID, Standing]) -> Iterator[Wrong]:
    for row in Subscription.objects.all():
        wanted = standings[row.id]
        stored = (row.anchor_at, row.periods, row.expires_at, row.state)
        computed = (wanted.anchor_at, wanted.periods, wanted.expires_at, wanted.state)
        if stored != computed:
            yield Wrong("subscription", str(row.id), f"stored {_plain(stored)}, computed {_plain(computed)}")
    for line in InvoiceLine.objects.all():
        if line.unit_price * line.quantity - line.discount != line.total:
            yield Wrong("invoice.line", str(line.id), "does not add up")
    bought = Counter(InvoiceLine.objects.values_list("subscription_id", "period_until", "quantity"))
    for recharge in Recharge.objects.filter(state=Recharge.State.COMPLETED):
        if bought[recharge.subscription_id, recharge.new_expires_at, recharge.periods] != 1:
            yield Wrong("recharge.once", str(recharge.id), "completed, and not exactly one invoice for it")
    paid: Counter[UUID] = Counter()
    purposes = Payment.objects.filter(purpose="recharge", state=Payment.State.SUCCEEDED)
    for purpose_id, amount in purposes.values_list("purpose_id", "paid_amount"):
        paid[purpose_id] += amount
    for recharge in Recharge.objects.filter(state=Recharge.State.PENDING):
        if paid[recharge.id] >= recharge.total:
            yield Wrong("recharge.once", str(recharge.id), "paid for, and still waiting")
    for stop in CutStop.objects.filter(released_at=None):
        yield Wrong("cuts.stopped", str(stop.id), f"{stop.would_cut} of {stop.of_active}")


def _plain(values: tuple[object, ...]) -> str:
    return ", ".join(f"{one:%d %H:%M:%S}" if isinstance(one, datetime) else str(one) for one in values)


def _queues() -> Iterator[Wrong]:
    """Nothing waits, nothing was given up."""
    for event in Event.objects.exclude(state=Event.State.DONE):
        yield Wrong("event", event.name, f"{event.state} after {event.attempts} attempts: {event.last_error[:200]}")
    for stored in PaymentEvent.objects.filter(processed_at=None):
        yield Wrong("callback", str(stored.id), "stored and never read")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.name, r.handler, count(*) FROM kernel_receipt r JOIN kernel_event e ON e.id = r.event_id"
            " GROUP BY e.id, e.name, r.handler HAVING count(*) > 1"
        )
        for name, handler, count in cursor.fetchall():
            yield Wrong("event.once", name, f"{handler} handled it {count} times")
