"""Asking what became of a payment."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from ispbilling.kernel.errors import Retryable
from payments.providers.base import Attempt, Outcome
from tests.conformance import UNCLEAR, mangled, needs
from tests.outside import Parrot, Receiver, until
from tests.payments.conformance.base import Words


class Asked(Words):
    """Only an answer we know decides."""

    @needs("can_query")
    def test_a_payment_whose_callback_was_lost_is_found_by_asking(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        far.faults.arm("callback_never")
        begun = self.begin(adapter, attempt)
        result = until(lambda: (found := adapter.query(begun)).outcome is Outcome.SUCCEEDED and found)
        self.well_formed(result, is_event=False)
        assert receiver.heard == []

    @needs("can_query")
    @pytest.mark.parametrize("face", ["4999", "500.001.1001"])
    @pytest.mark.parametrize("status", [200, 500])
    def test_while_the_payer_thinks_the_answer_is_pending(
        self, far: Any, adapter: Any, attempt: Attempt, face: str, status: int
    ) -> None:
        self.behave(far, "hold")
        far.faults.arm("query_in_flight", face=face, status=status)
        assert adapter.query(self.begin(adapter, attempt)).outcome is Outcome.PENDING

    @needs("can_query")
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            ("query_no_answer", {"status": 500}),
            ("query_no_answer", {"status": 200}),
            *[("query_code", {"code": code}) for code in ("77", "", "SFC_NEW", "4999")],
        ],
    )
    def test_an_answer_we_do_not_know_decides_nothing(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver, fault: str, options: dict[str, Any]
    ) -> None:
        begun, _ = self.pay(adapter, attempt, receiver)
        far.faults.arm(fault, **options)
        assert adapter.query(begun).outcome is Outcome.PENDING
        far.faults.clear()
        assert adapter.query(begun).outcome is Outcome.SUCCEEDED

    @needs("can_query")
    def test_an_attempt_of_nobody_decides_nothing(self, adapter: Any, attempt: Attempt) -> None:
        assert adapter.query(replace(attempt, gateway_reference="ws_CO_nobodys")).outcome is Outcome.PENDING

    @needs("can_query")
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            *[(fault, options) for fault, options, _ in UNCLEAR],
            *[("http_refused", {"status": status}) for status in (401, 403, 429)],
            pytest.param("cut_midway", {}),
        ],
    )
    def test_a_question_without_an_answer_decides_nothing(
        self, far: Any, attempt: Attempt, receiver: Receiver, fault: str, options: dict[str, Any]
    ) -> None:
        adapter = self.adapter_at(far, answer_timeout_s=0.5)
        begun, _ = self.pay(adapter, attempt, receiver)
        far.faults.arm(fault, on=self.query_call, **options)
        with contextlib.suppress(Retryable):
            assert adapter.query(begun).outcome is Outcome.PENDING
        assert far.faults.fired[fault] >= 1
        far.faults.clear()
        assert adapter.query(begun).outcome is Outcome.SUCCEEDED

    @needs("can_query")
    def test_no_spoilt_answer_to_a_question_breaks_the_reader(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        begun, _ = self.pay(adapter, attempt, receiver)
        adapter.query(begun)
        genuine = self.calls(far, self.query_call)[-1]["answer"]
        with Parrot() as parrot:
            other = self.adapter_at(far, parrot.url)
            for parrot.body in mangled(genuine):
                other.settings.tokens.put("token", 100)
                with contextlib.suppress(Retryable):
                    self.well_formed(other.query(begun), is_event=False)
            parrot.body = genuine
            assert other.query(begun).outcome is Outcome.SUCCEEDED

    @needs("can_query")
    def test_an_answer_about_another_attempt_decides_nothing(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        begun, _ = self.pay(adapter, attempt, receiver)
        adapter.query(begun)
        with Parrot(self.calls(far, self.query_call)[-1]["answer"]) as parrot:
            other = self.adapter_at(far, parrot.url)
            other.settings.tokens.put("token", 100)
            assert other.query(replace(begun, gateway_reference="ws_CO_another")).outcome is Outcome.PENDING
