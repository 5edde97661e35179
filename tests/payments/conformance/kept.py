"""Giving money back; and keeping still: no state, no secret."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, Outcome
from tests.conformance import needs, state_of
from tests.outside import Receiver
from tests.payments.conformance.base import Words, incoming


class Kept(Words):
    """Refunds, and what an adapter keeps to itself."""

    @needs("can_refund")
    def test_a_whole_payment_is_given_back_once(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        begun, paid = self.pay(adapter, attempt, receiver)
        for _ in range(2):
            result = adapter.refund(begun, receipt=paid.receipt, amount=attempt.amount, reference="B1")
            assert (result.outcome, result.amount) == (Outcome.SUCCEEDED, attempt.amount)
        assert self.accepted(far, self.refund_call) == 2
        assert far.refunded == {paid.receipt: Decimal(1500)}

    @needs("can_refund_part")
    def test_parts_are_given_back_and_never_more_than_was_paid(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        begun, paid = self.pay(adapter, attempt, receiver)
        part = Money(Decimal(1000), self.currency)
        assert adapter.refund(begun, receipt=paid.receipt, amount=part, reference="B1").amount == part
        with pytest.raises(Refused):
            adapter.refund(begun, receipt=paid.receipt, amount=part, reference="B2")
        assert far.refunded == {paid.receipt: Decimal(1000)}

    @needs("can_refund")
    def test_a_refund_without_an_answer_leaves_its_outcome_open(
        self, far: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        adapter = self.adapter_at(far)
        begun, paid = self.pay(adapter, attempt, receiver)
        far.faults.arm("cut_after", on=self.refund_call, times=1)
        with pytest.raises(Retryable) as caught:
            adapter.refund(begun, receipt=paid.receipt, amount=attempt.amount, reference="B1")
        assert caught.value.sent is True
        adapter.refund(begun, receipt=paid.receipt, amount=attempt.amount, reference="B1")
        assert far.refunded == {paid.receipt: Decimal(1500)}

    def test_nothing_is_kept_between_calls(self, adapter: Any, attempt: Attempt, receiver: Receiver) -> None:
        before = state_of(adapter)
        if self.can("can_push"):
            begun = self.begin(adapter, attempt)
            if self.can("has_callbacks"):
                adapter.parse_event(incoming(receiver.next()))
            if self.can("can_query"):
                adapter.query(begun)
        else:
            adapter.start(attempt)
        assert state_of(adapter) == before

    @needs("has_outside")
    def test_a_secret_is_never_logged_nor_shown(
        self,
        far: Any,
        attempt: Attempt,
        receiver: Receiver,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("DEBUG")
        adapter = self.adapter_at(far, answer_timeout_s=0.5)
        shown: list[Any] = [adapter, adapter.settings]
        begun, result = self.pay(adapter, attempt, receiver)
        shown += [begun, result]
        if self.can("can_query"):
            shown.append(adapter.query(begun))
        tokens = [adapter.settings.tokens.get() or self.secret]
        for call in (self.begin_call, self.query_call, *([self.token_call] if self.takes_token else [])):
            for fault in ("http_refused", "http_error", "html", "cut_after", "timeout_after", "truncated"):
                far.faults.clear()
                far.faults.arm(fault, on=call)
                if call == self.token_call:
                    adapter.settings.tokens.drop(adapter.settings.tokens.get() or "")
                try:
                    shown.append(adapter.query(begun) if call == self.query_call else adapter.start(attempt))
                except (Refused, Retryable) as error:
                    shown += [error, error.args, error.detail, error.__cause__]
                tokens.append(adapter.settings.tokens.get() or self.secret)
        printed = capsys.readouterr()
        told = caplog.text + printed.out + printed.err + " ".join(f"{one} {one!r}" for one in shown)
        assert "http.call" in caplog.text + printed.err
        config = self.config(far)
        planted = [config[name] for name, field in self.provider.config.items() if field.secret and name in config]
        assert self.secret in planted
        for secret in {*planted, *tokens}:
            assert secret not in told
