"""Beginning a payment, and what an adapter says of itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Refused, Unsupported
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, Incoming, Instructions, PaymentProvider, providers
from tests.conformance import needs
from tests.payments.conformance.base import Words


class Begun(Words):
    """A payment is asked for, or surely not."""

    def test_what_it_says_it_can_do_is_what_it_does(self) -> None:
        methods = {
            "can_query": "query",
            "has_callbacks": "parse_event",
            "can_list": "transactions_between",
            "can_refund": "refund",
        }
        for flag, method in methods.items():
            is_written = getattr(self.provider, method) is not getattr(PaymentProvider, method)
            assert is_written is getattr(self.provider, flag), flag
        assert all(
            self.can(needed) for one, needed in self.depends.items() if hasattr(self.provider, one) and self.can(one)
        )
        assert list(self.provider.query_at_s) == sorted(set(self.provider.query_at_s))
        assert bool(self.provider.query_at_s) is self.provider.can_query
        assert self.provider.smallest_unit > 0
        assert self.provider.receipt_family
        assert not self.provider.currencies or self.currency in self.provider.currencies
        assert not self.is_registered or providers.get(self.provider.name) is self.provider

    def test_what_it_cannot_do_it_says(self, adapter: Any, attempt: Attempt) -> None:
        asked = replace(attempt, gateway_reference="x")
        if not self.can("can_query"):
            with pytest.raises(Unsupported):
                adapter.query(asked)
        if not self.can("has_callbacks"):
            with pytest.raises(Unsupported):
                adapter.parse_event(Incoming(b"{}", {}, "127.0.0.1"))
        if not self.can("can_list"):
            with pytest.raises(Unsupported):
                adapter.list_register("https://example.org/")
            with pytest.raises(Unsupported):
                adapter.transactions_between(clock.machine_now(), clock.machine_now(), "")
        if not self.can("can_refund"):
            with pytest.raises(Unsupported):
                adapter.refund(asked, receipt="R1", amount=attempt.amount, reference="B1")

    def test_where_nothing_is_sent_the_payer_is_told_what_to_do(self, adapter: Any, attempt: Attempt) -> None:
        if self.can("can_push"):
            assert isinstance(self.begin(adapter, attempt), Attempt)
            return
        started = adapter.start(attempt)
        assert isinstance(started, Instructions)
        assert attempt.reference in started.text
        assert str(attempt.amount) in started.text

    @needs("has_outside")
    def test_another_currency_is_refused_and_nothing_is_begun(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        with pytest.raises(Refused, match=r"payment\.currency"):
            adapter.start(replace(attempt, amount=Money(Decimal(10), self.other_currency)))
        assert far.journal == []

    @needs("has_outside")
    def test_an_amount_it_does_not_take_is_refused_and_nothing_is_begun(
        self, far: Any, adapter: Any, attempt: Attempt
    ) -> None:
        for amount in (Decimal(0), Decimal(-5), self.provider.smallest_unit / 2, Decimal(10) ** 12):
            with pytest.raises(Refused, match=r"payment\.limit"):
                adapter.start(replace(attempt, amount=Money(amount, self.currency)))
        assert far.journal == []

    @needs("can_push")
    def test_a_number_that_is_none_is_refused_and_nothing_is_begun(
        self, far: Any, adapter: Any, attempt: Attempt
    ) -> None:
        for phone in ("", "+254712", "+15551234567", "+2547123456789"):
            with pytest.raises(Refused, match=r"payment\.phone"):
                adapter.start(replace(attempt, phone=phone))
        assert far.journal == []
