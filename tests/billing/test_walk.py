"""Any order of what can happen to a customer's money: nothing is made of nothing, and nothing is lost.

A seed draws the steps; a seed that fails is the test that shows it again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.db.models import Sum

from billing.calculations import unused_worth
from billing.models import AccountKind, AccountName, Allocation, CreditNote, Invoice, InvoiceLine, Receipt, Subscription
from billing.papers import paid_times
from billing.selectors import balance, wallet_of
from billing.services import (
    credit_note_issue,
    cycle_run,
    days_take,
    package_change,
    package_change_cancel,
    package_change_preview,
    package_change_schedule,
    policy_set,
    receipt_assign,
    receipt_release,
    receipt_return,
    receipt_return_undo,
    recharge_start,
    subscription_expiry_set,
    subscription_extend,
    subscriptions_go_on,
    subscriptions_stop,
)
from billing.services.ledger import ledger_check
from ispbilling.kernel import clock
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import AuditEntry
from packages.models import Package
from tests import factories
from tests.billing.test_receipts import booked
from tests.billing.test_suspense import nobodys

STEPS = 40
NOTHING = Decimal(0)
State = Subscription.State


class Walk:
    """One customer with one line, and everything that may be done to it."""

    def __init__(self, seed: int, travel: Callable[..., None]) -> None:
        self.dice, self.travel = Random(seed), travel
        self.packages: list[Package] = [
            factories.package_make(price=Decimal(price), period_unit=unit, period_count=count)
            for price, unit, count in (("1500", "day", 30), ("2999.99", "month", 1), ("7.77", "hour", 5))
        ]
        self.id = factories.subscription_make(package=self.packages[0]).id
        self.gift: tuple[datetime, datetime | None] | None = None
        self.steps = (
            self.pay, self.recharge, self.recharge, self.change, self.change, self.order, self.keep, self.credit,
            self.give, self.take, self.shorten, self.attach, self.release, self.give_back, self.stop, self.pass_time,
            self.pass_time, self.pass_time,
        )  # fmt: skip

    @property
    def now(self) -> Subscription:
        return Subscription.objects.select_related("package").get(id=self.id)

    def step(self) -> str:
        one = self.dice.choice(self.steps)
        with suppress(DomainError):  # what is refused must change nothing, which is looked at as well
            one()
        return one.__name__

    def amount(self) -> str:
        return str(self.dice.choice(["1", "7.77", "333.33", "1500", "3000", "4000.01"]))

    def pay(self) -> None:
        booked(self.now, self.amount(), None, uuid7().hex)

    def recharge(self) -> None:
        order = recharge_start(subscription_id=self.id, periods=self.dice.choice([1, 1, 3]), actor=factories.ACTOR)
        amount = order.total if self.dice.random() < 0.8 else Decimal(self.amount())
        booked(self.now, str(amount), order, uuid7().hex)

    def change(self) -> None:
        wanted = {"subscription_id": self.id, "package_id": self.dice.choice(self.packages).id}
        into = self.dice.choice(["time", "wallet"])
        seen = package_change_preview(**wanted, into=into).seen if self.dice.random() < 0.5 else ""
        if seen:
            self.travel(minutes=self.dice.choice([0, 5, 14]))
        package_change(**wanted, into=into, seen=seen, actor=factories.ACTOR)

    def order(self) -> None:
        package_change_schedule(
            subscription_id=self.id, package_id=self.dice.choice(self.packages).id, actor=factories.ACTOR
        )

    def keep(self) -> None:
        package_change_cancel(subscription_id=self.id, actor=factories.ACTOR)

    def credit(self) -> None:
        invoices = list(Invoice.objects.order_by("number"))
        if invoices:
            amount = None if self.dice.random() < 0.3 else Decimal(self.amount())
            chosen = self.dice.choice(invoices)
            credit_note_issue(invoice_id=chosen.id, amount=amount, reason="walk", actor=factories.ACTOR)

    def give(self) -> None:
        old = self.now.expires_at
        given = subscription_extend(
            subscription_id=self.id, days=self.dice.randint(1, 9), reason="walk", actor=factories.ACTOR
        )
        assert given.expires_at is not None
        self.gift = given.expires_at, old

    def take(self) -> None:
        if self.gift is not None:
            (until, old), self.gift = self.gift, None
            days_take(subscription_id=self.id, given_until=until, old=old, reason="walk", actor=factories.ACTOR)

    def shorten(self) -> None:
        at = clock.now() + timedelta(days=self.dice.randint(-1, 3))
        subscription_expiry_set(subscription_id=self.id, expires_at=at, reason="walk", actor=factories.ACTOR)

    def attach(self) -> None:
        waiting = list(Receipt.objects.filter(customer=None, returned_at=None).order_by("id"))
        receipt = self.dice.choice(waiting) if waiting else nobodys(self.amount())
        if self.dice.random() < 0.8:
            receipt_assign(receipt_id=receipt.id, customer_id=self.now.customer_id, actor=factories.ACTOR)

    def release(self) -> None:
        owned = list(Receipt.objects.exclude(customer=None).order_by("booked_at", "id"))
        if owned:
            receipt_release(receipt_id=self.dice.choice(owned).id, reason="walk", actor=factories.ACTOR)

    def give_back(self) -> None:
        receipts = list(Receipt.objects.filter(customer=None).order_by("id"))
        if receipts:
            chosen = self.dice.choice(receipts)
            if chosen.returned_at is None:
                receipt_return(receipt_id=chosen.id, note="walk", actor=factories.ACTOR)
            else:
                receipt_return_undo(receipt_id=chosen.id, actor=factories.ACTOR)

    def stop(self) -> None:
        act = subscriptions_go_on if self.now.stopped_at else subscriptions_stop
        act(customer_id=self.now.customer_id, actor=factories.ACTOR)

    def pass_time(self) -> None:
        self.travel(minutes=self.dice.choice([1, 90, 60 * 20, 60 * 24 * 9]))
        assert cycle_run()["failed"] == 0
        now = self.now
        ran_out = now.expires_at is not None and now.expires_at <= clock.now() and now.stopped_at is None
        assert not ran_out or now.state in (State.SUSPENDED, State.ENDED), "ran out, and nobody cuts it"

    def look(self) -> None:
        """What holds after every step."""
        assert ledger_check() == []
        customer = self.now.customer_id
        wallet = wallet_of(customer, "KES").amount
        kept = total(Invoice, "total") - total(Invoice, "credited")
        assert wallet >= NOTHING
        mine, others = Receipt.objects.exclude(customer=None), Receipt.objects.filter(customer=None, returned_at=None)
        assert summed(mine) == wallet + kept, "what he paid is what he has and what he bought"
        assert -balance(AccountName(AccountKind.SUSPENSE), "KES").amount == summed(others)
        assert balance(AccountName(AccountKind.RECEIVABLE, customer), "KES").amount == NOTHING
        self._look_at_papers(kept)
        self._look_at_time(kept)

    def _look_at_papers(self, kept: Decimal) -> None:
        assert total(Invoice, "total") == total(Allocation, "amount")
        assert total(Invoice, "credited") == total(CreditNote, "total")
        taxes = total(Invoice, "tax") - total(CreditNote, "tax")
        assert -balance(AccountName(AccountKind.TAX), "KES").amount == taxes
        assert -balance(AccountName(AccountKind.REVENUE), "KES").amount == kept - taxes
        for invoice in Invoice.objects.prefetch_related("credit_notes"):
            notes = list(invoice.credit_notes.all())
            assert NOTHING <= sum((one.tax for one in notes), NOTHING) <= invoice.tax
            assert NOTHING <= sum((one.net for one in notes), NOTHING) <= invoice.net
            if invoice.state == Invoice.State.VOID:
                assert sum((one.tax for one in notes), NOTHING) == invoice.tax

    def _look_at_time(self, kept: Decimal) -> None:
        now, at = self.now, clock.now()
        if now.expires_at is None:
            assert now.state == State.PENDING
            return
        assert now.expires_at in self._ends(), "an end that nobody paid for or gave"
        is_running = now.state in (State.ACTIVE, State.GRACE) and now.stopped_at is None
        assert not is_running or now.next_change_at is not None, "it would run for ever"
        times = paid_times(self.id, at=at)
        worth = sum((unused_worth(one, at=at, expires_at=now.expires_at).amount for one in times), NOTHING)
        assert worth <= kept
        for before, after in pairwise(times):
            twice = unused_worth(before, at=after.begin, expires_at=now.expires_at)
            assert not twice, "the same time is worth something twice"

    def _ends(self) -> set[datetime]:
        """Every end a purchase or a person gave it."""
        bought = InvoiceLine.objects.filter(subscription_id=self.id).values_list("period_until", flat=True)
        verbs = ["subscription.gift", "subscription.gift_undo", "subscription.expiry"]
        entries = AuditEntry.objects.filter(row_id=str(self.id), verb__in=verbs)
        return {*bought, *(datetime.fromisoformat(one.new["expires_at"]).astimezone(UTC) for one in entries)}


def total(model: Any, column: str) -> Decimal:
    return model.objects.aggregate(sum=Sum(column))["sum"] or NOTHING


def summed(receipts: Any) -> Decimal:
    return receipts.aggregate(sum=Sum("amount"))["sum"] or NOTHING


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_steps_makes_money_or_time_of_nothing(tenant: Any, travel: Any, seed: int) -> None:
    policy_set(changes={"tax_mode": "contained", "tax_percent": Decimal(16)}, actor=factories.ACTOR)
    walk = Walk(seed, travel)
    done: list[str] = []
    for _ in range(STEPS):
        done.append(walk.step())
        try:
            walk.look()
        except AssertionError as error:
            raise AssertionError(f"{error}, after {done}") from error
