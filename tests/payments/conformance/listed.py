"""The statement: what came, by the gateway's own list."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, PaymentProvider, StatementEntry
from tests.conformance import UNCLEAR, fits, mangled, needs
from tests.outside import Parrot, Receiver
from tests.payments.conformance.base import Words

HOUR = timedelta(hours=1)


class Listed(Words):
    """What a statement tells can be stored, and is told completely."""

    def statement(self, adapter: PaymentProvider, ago: timedelta = HOUR) -> list[StatementEntry]:
        """All that came from so long ago until now, page by page."""
        now, page, found = clock.machine_now(), "", []
        for _ in range(50):
            part = adapter.transactions_between(now - ago, now, page)
            found += part.entries
            page = part.next_page
            if not page:
                return found
        raise AssertionError("the statement has no last page")

    def registered(self, far: Any) -> PaymentProvider:
        adapter = self.adapter_at(far)
        adapter.list_register("https://example.org/hooks/p/0123456789abcdef/statement")
        return adapter

    def pay_many(
        self, adapter: PaymentProvider, attempt: Attempt, receiver: Receiver, count: int
    ) -> dict[str, Attempt]:
        """Receipt → attempt of so many payments."""
        paid = {}
        for number in range(count):
            one = replace(
                attempt,
                reference=f"PABCDEFGHJ{number:02d}",
                phone=f"+2547123456{number:02d}",
                amount=Money(Decimal(100 + number), self.currency),
            )
            _, result = self.pay(adapter, one, receiver)
            assert result.receipt is not None
            paid[result.receipt] = one
        return paid

    @needs("can_list")
    def test_what_was_paid_stands_in_the_statement(self, far: Any, attempt: Attempt, receiver: Receiver) -> None:
        adapter = self.registered(far)
        begun, paid = self.pay(adapter, attempt, receiver)
        [entry] = self.statement(adapter)
        assert (entry.receipt, entry.amount) == (paid.receipt, attempt.amount)
        assert entry.account_text in ("", begun.reference)
        assert entry.at is not None
        assert abs(entry.at - clock.machine_now()) < timedelta(minutes=5)

    @needs("can_list")
    def test_every_page_is_read_and_nothing_told_twice_counts_twice(
        self, far: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        adapter = self.registered(far)
        paid = self.pay_many(adapter, attempt, receiver, 12)
        for fault in ({}, {"name": "pull_repeated"}):
            if fault:
                far.faults.arm(**fault)
            told = {entry.receipt: entry.amount for entry in self.statement(adapter)}
            assert told == {receipt: one.amount for receipt, one in paid.items()}

    @needs("can_list")
    @pytest.mark.parametrize("kind", ["no_receipt", "no_amount", "not_an_object", "strange_amount"])
    def test_a_row_nobody_can_read_hides_no_other(
        self, far: Any, attempt: Attempt, receiver: Receiver, kind: str
    ) -> None:
        adapter = self.registered(far)
        paid = self.pay_many(adapter, attempt, receiver, 7)
        far.faults.arm("pull_garbage", kind=kind)
        assert {entry.receipt for entry in self.statement(adapter)} == set(paid)

    @needs("can_list")
    def test_what_was_paid_at_another_time_is_not_in_it(self, far: Any, attempt: Attempt, receiver: Receiver) -> None:
        adapter = self.registered(far)
        self.pay(adapter, attempt, receiver)
        now = clock.machine_now()
        assert adapter.transactions_between(now - 3 * HOUR, now - 2 * HOUR, "").entries == ()

    @needs("can_list")
    def test_to_register_twice_is_harmless(self, far: Any) -> None:
        self.registered(far)
        self.registered(far)

    @needs("can_list")
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            *[(fault, options) for fault, options, _ in UNCLEAR],
            *[("http_refused", {"status": status}) for status in (401, 403, 429)],
            ("cut_midway", {}),
        ],
    )
    def test_a_statement_without_an_answer_is_no_empty_one(
        self, far: Any, attempt: Attempt, receiver: Receiver, fault: str, options: dict[str, Any]
    ) -> None:
        adapter = self.adapter_at(far, answer_timeout_s=0.5)
        self.registered(far)
        self.pay(adapter, attempt, receiver)
        far.faults.arm(fault, on=self.list_call, **options)
        with pytest.raises((Retryable, Refused)):
            self.statement(adapter)
        far.faults.clear()
        assert len(self.statement(adapter)) == 1

    @needs("can_list")
    def test_no_spoilt_statement_breaks_the_reader_nor_gives_what_cannot_be_stored(
        self, far: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        adapter = self.registered(far)
        self.pay(adapter, attempt, receiver)
        now = clock.machine_now()
        adapter.transactions_between(now - HOUR, now + HOUR, "")
        genuine = self.calls(far, self.list_call)[-1]["answer"]
        with Parrot() as parrot:
            other = self.adapter_at(far, parrot.url)
            for parrot.body in mangled(genuine):
                other.settings.tokens.put("token", 100)
                with contextlib.suppress(Retryable, Refused):
                    for entry in other.transactions_between(now - HOUR, now, "").entries:
                        assert entry.receipt
                        assert fits(entry.receipt, 40)
                        assert Decimal(0) < entry.amount.amount < Decimal(10) ** 13
                        assert fits(entry.payer, 80)
                        assert fits(entry.account_text, 120)
                        assert fits(entry.kind, 40)
