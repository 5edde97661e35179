"""Being told by callback: true ones, repeated, early, late, forged, wrong and unreadable ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Refused
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, Outcome
from tests.conformance import mangled, needs
from tests.outside import Heard, Receiver, until
from tests.payments.conformance.base import Words, incoming


class Told(Words):
    """Callbacks are read without believing them."""

    @needs("has_callbacks")
    def test_a_payment_is_told_by_callback(self, adapter: Any, attempt: Attempt, receiver: Receiver) -> None:
        begun, result = self.pay(adapter, attempt, receiver)
        assert result.outcome is Outcome.SUCCEEDED
        assert result.gateway_reference == begun.gateway_reference
        assert result.amount == Money(Decimal("1500.00"), self.currency)
        assert isinstance(result.amount.amount, Decimal)
        assert result.receipt
        self.well_formed(result, is_event=True)

    @needs("has_callbacks")
    def test_a_callback_is_answered_as_the_gateway_wants(self) -> None:
        ack = self.provider.ack()
        assert ack.status == 200
        assert ack.content_type

    @needs("has_callbacks", "can_push", "can_query")
    @pytest.mark.parametrize(
        ("behaviour", "outcome", "reason"),
        [
            ("refuse", Outcome.CANCELLED, "cancelled"),
            ("wrong_pin", Outcome.FAILED, "wrong_pin"),
            ("no_funds", Outcome.FAILED, "funds"),
            ("timeout", Outcome.EXPIRED, "no_answer"),
        ],
    )
    def test_every_bad_end_is_told_with_its_reason(
        self,
        far: Any,
        adapter: Any,
        attempt: Attempt,
        receiver: Receiver,
        behaviour: str,
        outcome: Outcome,
        reason: str,
    ) -> None:
        self.behave(far, behaviour)
        begun, result = self.pay(adapter, attempt, receiver)
        assert (result.outcome, result.reason, result.receipt, result.amount) == (outcome, reason, None, None)
        assert adapter.query(begun).outcome is outcome
        self.well_formed(result, is_event=True)

    @needs("has_callbacks", "can_query")
    def test_a_payer_who_takes_his_time_has_paid_all_the_same(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        self.behave(far, "approve", 0.4)
        begun = self.begin(adapter, attempt)
        assert adapter.query(begun).outcome is Outcome.PENDING
        assert adapter.parse_event(incoming(receiver.next())).outcome is Outcome.SUCCEEDED
        long_ago = replace(begun, started_at=clock.machine_now() - timedelta(days=1))
        assert adapter.query(long_ago).outcome is Outcome.SUCCEEDED

    @needs("has_callbacks", "can_query")
    def test_a_callback_that_comes_late_is_read_like_any_other(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        far.faults.arm("callback_late", seconds=0.4)
        begun = self.begin(adapter, attempt)
        until(lambda: adapter.query(begun).outcome is Outcome.SUCCEEDED)
        assert receiver.heard == []
        result = adapter.parse_event(incoming(receiver.next()))
        assert (result.outcome, result.gateway_reference) == (Outcome.SUCCEEDED, begun.gateway_reference)

    @needs("has_callbacks")
    @pytest.mark.parametrize(("fault", "times"), [("callback_twice", 2), ("callback_storm", 20)])
    def test_the_same_callback_again_is_read_the_same(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, fault: str, times: int
    ) -> None:
        far.faults.arm(fault)
        self.begin(adapter, attempt)
        results = [adapter.parse_event(incoming(receiver.next())) for _ in range(times)]
        assert results == [results[0]] * times
        assert results[0].outcome is Outcome.SUCCEEDED

    @needs("has_callbacks")
    def test_a_callback_before_the_answer_names_the_same_attempt(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        far.faults.arm("callback_early")
        begun = self.begin(adapter, attempt)
        assert len(receiver.heard) == 1
        assert adapter.parse_event(incoming(receiver.next())).gateway_reference == begun.gateway_reference

    @needs("has_callbacks", "can_query")
    @pytest.mark.parametrize("kind", ["other_reference", "other_shortcode"])
    def test_a_forged_callback_is_about_another_attempt_and_changes_nothing_at_the_gateway(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, kind: str
    ) -> None:
        self.behave(far, "hold")
        far.faults.arm("callback_forged", kind=kind)
        begun = self.begin(adapter, attempt)
        forged = incoming(receiver.next())
        if self.can("signs_callbacks"):
            with pytest.raises(Refused, match=r"event\.signature"):
                adapter.parse_event(forged)
        else:
            assert adapter.parse_event(forged).gateway_reference != begun.gateway_reference
        assert adapter.query(begun).outcome is Outcome.PENDING

    @needs("signs_callbacks")
    def test_a_forged_callback_with_the_right_reference_is_refused(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        far.faults.arm("callback_forged", url=receiver.url, on="ended")
        begun = self.begin(adapter, attempt)
        forged, true = incoming(receiver.next()), incoming(receiver.next())
        with pytest.raises(Refused, match=r"event\.signature"):
            adapter.parse_event(forged)
        assert adapter.parse_event(true).gateway_reference == begun.gateway_reference
        with pytest.raises(Refused, match=r"event\.signature"):
            adapter.parse_event(replace(true, body=true.body.replace(b"1500", b"1501")))
        with pytest.raises(Refused, match=r"event\.signature"):
            adapter.parse_event(replace(true, headers={}))

    @needs("has_callbacks")
    @pytest.mark.parametrize(("kind", "told"), [("less", "1.00"), ("more", "1600.00"), ("noise", "1500.00")])
    def test_another_amount_is_read_as_it_was_told(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, kind: str, told: str
    ) -> None:
        far.faults.arm("callback_amount", kind=kind)
        _, result = self.pay(adapter, attempt, receiver)
        assert (result.outcome, result.amount) == (Outcome.SUCCEEDED, Money(Decimal(told), self.currency))

    @needs("has_callbacks")
    @pytest.mark.parametrize("kind", ["zero", "negative"])
    def test_a_success_without_money_is_garbage(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, kind: str
    ) -> None:
        far.faults.arm("callback_amount", kind=kind)
        self.begin(adapter, attempt)
        with pytest.raises(Refused, match=r"event\.garbage"):
            adapter.parse_event(incoming(receiver.next()))

    @needs("tells_currency")
    def test_another_currency_is_read_as_it_was_told(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        far.faults.arm("callback_currency", currency=self.other_currency)
        _, result = self.pay(adapter, attempt, receiver)
        assert result.amount == Money(Decimal(1500), self.other_currency)

    @needs("has_callbacks")
    def test_another_payments_callback_does_not_become_this_ones(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        other, first = self.pay(adapter, replace(attempt, phone="+254722345678", reference="PABCDEFGHJKN"), receiver)
        far.faults.arm("callback_of_another", what="whole", times=1)
        begun, second = self.pay(adapter, attempt, receiver)
        assert second.gateway_reference == other.gateway_reference != begun.gateway_reference
        assert second.receipt == first.receipt

    @needs("has_callbacks")
    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            ("success_after_failure", [Outcome.CANCELLED, Outcome.SUCCEEDED]),
            ("failure_after_success", [Outcome.SUCCEEDED, Outcome.CANCELLED]),
        ],
    )
    def test_contradictions_are_read_each_as_it_is(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, fault: str, told: list[Outcome]
    ) -> None:
        far.faults.arm(fault, seconds=0.05)
        self.begin(adapter, attempt)
        assert [adapter.parse_event(incoming(receiver.next())).outcome for _ in told] == told

    @needs("has_callbacks")
    @pytest.mark.parametrize("kind", ["truncated", "empty", "html", "huge", "binary"])
    def test_garbage_instead_of_a_callback_is_refused(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, kind: str
    ) -> None:
        far.faults.arm("callback_garbage", kind=kind)
        self.begin(adapter, attempt)
        with pytest.raises(Refused, match=r"event\.(garbage|signature)"):
            adapter.parse_event(incoming(receiver.next()))
        assert adapter.parse_event(incoming(receiver.next())).outcome is Outcome.SUCCEEDED

    @needs("has_callbacks")
    def test_no_spoilt_callback_breaks_the_reader_nor_gives_what_cannot_be_stored(
        self, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        self.begin(adapter, attempt)
        genuine = receiver.next()
        codes: list[str] = []
        for body in self.spoilt(genuine):
            try:
                self.well_formed(adapter.parse_event(replace(incoming(genuine), body=body)), is_event=True)
                codes.append("")
            except Refused as error:
                codes.append(error.code)
        assert set(codes) <= {"", "event.garbage", "event.signature"}
        assert len(codes) > 200
        assert len(codes) - codes.count("") > 50

    def spoilt(self, genuine: Heard) -> Iterator[bytes]:
        """A genuine callback, spoilt in every way; for gateways that send JSON."""
        for text in mangled(genuine.body.decode()):
            yield text.encode("utf-8", "surrogatepass")
