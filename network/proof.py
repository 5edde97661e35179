"""Reads of the proof chain: why a customer is off or on, and his timeline. A fixed number of queries each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, Sum

from accounts.models import User
from billing import models as billing
from billing.entitlement import Level, Reason, entitlement
from billing.selectors import cut_stop_open, rules_current, terms_of
from ispbilling.kernel import clock
from ispbilling.kernel.models import AuditEntry, Event
from ispbilling.kernel.money import Money
from network import timeline
from network.models import FOREIGN_ROW, Acknowledgement, Drift, Line, Session
from network.timeline import Timeline
from network.why import Facts, LineAnswer, RouterFacts, Whole, whole, why

#: Beyond a page's own steps so many more of each kind are read: what one instant holds, and what chains lean on.
MARGIN = 50
_SUBSCRIPTION, _CUSTOMER = "billing.subscription", "customers.customer"


def customer_why(customer_id: UUID) -> Whole:
    """Why a customer is off, or on, line by line and as a whole."""
    at, offset, rules = clock.now(), clock.offset(), rules_current()
    rows = Line.objects.filter(customer_id=customer_id).select_related("router", "subscription__package")
    lines = list(rows.order_by("created_at", "id"))
    ids = [line.id for line in lines]
    latest = {
        row.line_id: row
        for row in Session.objects.filter(line_id__in=ids).order_by("line_id", "-started_at").distinct("line_id")
    }
    left = dict(
        Drift.objects.filter(line_id__in=ids, outcome=Drift.Outcome.OPEN)
        .order_by("last_seen_at")
        .values_list("line_id", "found")
    )
    stop = cut_stop_open()
    is_parked = Event.objects.filter(key=f"customer:{customer_id}", state=Event.State.PARKED).exists()
    held_by = _held_by(customer_id)
    answers = []
    for line in lines:
        subscription = line.subscription
        now = entitlement(terms_of(subscription, rules), at)
        session = latest.get(line.id)
        router = line.router
        facts = Facts(
            at=at,
            entitlement=now,
            router=RouterFacts(
                name=router.name,
                is_enabled=router.is_enabled,
                is_up=router.is_up,
                seen_at=_product(router.last_seen_at, offset),
                rests_until=_product(router.retry_at, offset),
                error=router.last_error,
            ),
            wished=Level(line.level),
            applied=Level(line.applied_level) if line.applied_level else None,
            is_converged=line.is_converged,
            username=line.username,
            applied_at=line.applied_at,
            trouble=line.last_error or (left.get(line.id, "") if line.is_converged else ""),
            is_foreign=line.last_error == FOREIGN_ROW,
            is_parked=is_parked,
            online_since=_product(session.started_at, offset) if session and session.stopped_at is None else None,
            last_seen_at=_product(session.stopped_at, offset) if session else None,
            expired_at=subscription.expires_at,
            suspended_at=subscription.suspended_at,
            held_by=held_by if now.reason is Reason.HELD else "",
            hold_reason=subscription.hold_reason,
            stopped_at=stop.opened_at if stop is not None else None,
            stop_cause=stop.get_cause_display() if stop is not None else "",
        )
        answers.append(LineAnswer(why(facts), line.username, subscription.package.name))
    return whole(answers)


def _held_by(customer_id: UUID) -> str:
    """The address of whoever keeps a customer online, as the audit has it; empty when nobody or not a person."""
    rows = AuditEntry.objects.filter(row_type=_CUSTOMER, row_id=str(customer_id), verb="customer.hold")
    actor = rows.order_by("-at").values_list("actor", flat=True).first() or ""
    kind, _, name = actor.partition(":")
    if kind != "user":
        return ""
    return User.objects.filter(id=UUID(name)).values_list("email", flat=True).first() or ""


def _product(at: datetime | None, offset: timedelta) -> datetime | None:
    """An instant of the machine's world as product time: exact where the clock does not move, and since it last did."""
    return None if at is None else at + offset


def customer_timeline(customer_id: UUID, *, before: datetime | None = None, limit: int = 25) -> Timeline:
    """What happened to a customer before an instant, newest first: enough of it for ``timeline.paged`` to cut a page
    of ``limit`` steps from, and for the chains of that page.
    """
    return timeline.assemble(_Reader(customer_id, before, limit + MARGIN).sources())


class _Reader:
    """One read of everything a timeline is made of, each kind bounded."""

    def __init__(self, customer_id: UUID, before: datetime | None, bound: int) -> None:
        self.customer_id = customer_id
        self.before = before
        self.bound = bound
        self.offset = clock.offset()

    def sources(self) -> timeline.Sources:
        subscriptions = billing.Subscription.objects.filter(customer_id=self.customer_id)
        changes, holds = self._audit(list(subscriptions.values_list("id", flat=True)))
        proofs = self._proofs()
        return timeline.Sources(
            receipts=self._receipts(),
            entries=self._entries(),
            invoices=self._invoices(),
            changes=changes,
            holds=holds,
            proofs=proofs,
            sessions=self._sessions(),
            has_all_proofs=len(proofs) < self.bound,
        )

    def _bounded(self, rows: Any, column: str, before: datetime | None) -> Any:
        if before is not None:
            rows = rows.filter(**{f"{column}__lt": before})
        return rows.order_by(f"-{column}", "-id")[: self.bound]

    def _receipts(self) -> list[timeline.Receipt]:
        rows = billing.Receipt.objects.filter(customer_id=self.customer_id)
        if self.before is not None:  # a gateway's clock may be ahead of ours
            rows = rows.filter(Q(received_at__lt=self.before) | Q(booked_at__lt=self.before))
        return [
            timeline.Receipt(
                row.id, row.received_at, row.booked_at, row.number or "", row.method, Money(row.amount, row.currency)
            )
            for row in self._bounded(rows, "received_at", None)
        ]

    def _entries(self) -> list[timeline.Entry]:
        wallet = Q(legs__account__kind=billing.AccountKind.WALLET, legs__account__owner=str(self.customer_id))
        rows = billing.LedgerEntry.objects.filter(customer_id=self.customer_id).annotate(
            wallet=Sum("legs__amount", filter=wallet), currency=Max("legs__account__currency", filter=wallet)
        )
        return [
            timeline.Entry(
                row.key, row.at, row.memo, -Money(row.wallet, row.currency) if row.wallet is not None else None
            )
            for row in self._bounded(rows, "at", self.before)
        ]

    def _invoices(self) -> list[timeline.Invoice]:
        rows = billing.InvoiceLine.objects.filter(invoice__customer_id=self.customer_id).select_related("invoice")
        return [
            timeline.Invoice(
                row.invoice.id,
                row.invoice.number,
                row.invoice.issued_at,
                Money(row.invoice.total, row.invoice.currency),
                row.subscription_id,
                row.period_until,
            )
            for row in self._bounded(rows, "invoice__issued_at", self.before)
        ]

    def _audit(self, subscriptions: list[UUID]) -> tuple[list[timeline.Change], list[timeline.Hold]]:
        rows = AuditEntry.objects.filter(
            Q(row_type=_SUBSCRIPTION, row_id__in=[str(one) for one in subscriptions])
            | Q(row_type=_CUSTOMER, row_id=str(self.customer_id), verb="customer.hold")
        )
        changes, holds = [], []
        for row in self._bounded(rows, "at", self.before):
            if row.row_type == _CUSTOMER:
                holds.append(timeline.Hold(row.at, _instant(row.new.get("until")), row.reason))
            else:
                verb = row.verb.partition(".")[2]
                expires_at = _instant(row.new.get("expires_at"))
                changes.append(timeline.Change(UUID(row.row_id), row.at, verb, expires_at))
        return changes, holds

    def _proofs(self) -> list[timeline.Proof]:
        rows = Acknowledgement.objects.filter(line__customer_id=self.customer_id).select_related("line__router")
        return [
            timeline.Proof(
                row.line_id,
                row.line.subscription_id,
                row.line.router.name,
                row.generation,
                row.level,
                row.wished_at,
                row.seen_at,
            )
            for row in self._bounded(rows, "seen_at", self.before)
        ]

    def _sessions(self) -> list[timeline.Session]:
        rows = Session.objects.filter(line__customer_id=self.customer_id)
        before = self.before - self.offset if self.before is not None else None
        found = []
        for row in self._bounded(rows, "started_at", before):
            stopped = _product(row.stopped_at, self.offset)
            found.append(timeline.Session(row.line_id, row.started_at + self.offset, stopped, row.address))
        return found


def _instant(text: Any) -> datetime | None:
    """An instant as the audit wrote it."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
