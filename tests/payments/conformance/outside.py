"""An outside that fails: what is certain is said, and what is not is left open."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from ispbilling.kernel.errors import Refused, Retryable
from payments.providers.base import Attempt, Outcome
from simulators.faults import mixture
from tests.conformance import UNCLEAR, mangled, needs
from tests.outside import Parrot, Receiver, nobody
from tests.payments.conformance.base import Words, incoming


class Outside(Words):
    """The journal of the simulator knows what was begun; the adapter says no more than it can know."""

    @needs("has_outside")
    def test_a_gateway_that_is_away_surely_got_nothing(self, far: Any, attempt: Attempt) -> None:
        with nobody() as url, pytest.raises(Retryable) as caught:
            self.adapter_at(far, url).start(attempt)
        assert caught.value.sent is False
        assert far.journal == []

    @needs("can_push")
    @pytest.mark.parametrize(("fault", "options", "is_begun"), [*UNCLEAR, pytest.param("cut_midway", {}, True)])
    def test_an_unclear_answer_to_the_beginning_leaves_everything_open(
        self, far: Any, attempt: Attempt, fault: str, options: dict[str, Any], is_begun: bool
    ) -> None:
        adapter = self.adapter_at(far, answer_timeout_s=0.5)
        far.faults.arm(fault, on=self.begin_call, **options)
        with pytest.raises(Retryable) as caught:
            adapter.start(attempt)
        assert caught.value.sent is True
        assert (len(self.calls(far, self.begin_call)), self.accepted(far)) == (1, int(is_begun))

    @needs("can_push", "has_callbacks")
    def test_a_payment_begun_without_an_answer_is_told_by_callback(
        self, far: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        far.faults.arm("cut_after", on=self.begin_call)
        adapter = self.adapter_at(far)
        with pytest.raises(Retryable):
            adapter.start(attempt)
        result = adapter.parse_event(incoming(receiver.next()))
        assert (result.outcome, bool(result.gateway_reference)) == (Outcome.SUCCEEDED, True)

    @needs("can_push")
    @pytest.mark.parametrize("status", [401, 403, 429])
    def test_whoever_is_turned_away_at_the_door_has_begun_nothing(
        self, far: Any, adapter: Any, attempt: Attempt, status: int
    ) -> None:
        far.faults.arm("http_refused", on=self.begin_call, status=status)
        with pytest.raises((Refused, Retryable)) as caught:
            adapter.start(attempt)
        assert getattr(caught.value, "sent", False) is False
        assert self.accepted(far) == 0
        far.faults.clear()
        self.begin(adapter, attempt)

    @needs("can_push")
    def test_slow_is_not_away(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.faults.arm("latency", seconds=0.5)
        self.begin(adapter, attempt)
        assert self.accepted(far) == 1

    @needs("takes_token")
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            *[(fault, options) for fault, options, _ in UNCLEAR],
            *[("http_refused", {"status": status}) for status in (401, 403, 429)],
            pytest.param("cut_midway", {}),
        ],
    )
    def test_without_a_token_surely_nothing_is_begun(
        self, far: Any, attempt: Attempt, fault: str, options: dict[str, Any]
    ) -> None:
        adapter = self.adapter_at(far, answer_timeout_s=0.5)
        far.faults.arm(fault, on=self.token_call, **options)
        with pytest.raises((Refused, Retryable)) as caught:
            adapter.start(attempt)
        assert getattr(caught.value, "sent", False) is False
        assert self.calls(far, self.begin_call) == []
        far.faults.clear()
        self.begin(adapter, attempt)

    @needs("takes_token")
    @pytest.mark.parametrize("fault", ["token_killed", "token_dead"])
    def test_a_token_that_died_is_replaced_once_and_one_attempt_is_begun(
        self, far: Any, adapter: Any, attempt: Attempt, fault: str
    ) -> None:
        far.faults.arm(fault, on=self.begin_call, times=1)
        self.begin(adapter, attempt)
        assert (len(self.calls(far, self.begin_call)), self.accepted(far)) == (2, 1)

    @needs("takes_token")
    def test_a_token_that_dies_again_and_again_begins_nothing(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.faults.arm("token_killed")
        with pytest.raises((Refused, Retryable)) as caught:
            adapter.start(attempt)
        assert getattr(caught.value, "sent", False) is False
        assert (len(self.calls(far, self.begin_call)), self.accepted(far)) == (2, 0)

    @needs("takes_token")
    def test_a_token_is_used_again(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        self.begin(adapter, attempt)
        self.begin(adapter, replace(attempt, phone="+254722345678", reference="PABCDEFGHJKN"))
        assert len(self.calls(far, self.token_call)) == 1

    @needs("can_push")
    def test_no_spoilt_answer_to_the_beginning_breaks_the_reader_nor_says_that_nothing_was_begun(
        self, far: Any, adapter: Any, attempt: Attempt
    ) -> None:
        self.begin(adapter, attempt)
        genuine = self.calls(far, self.begin_call)[-1]["answer"]
        outcomes: list[tuple[str, str]] = []
        with Parrot() as parrot:
            other = self.adapter_at(far, parrot.url)
            for parrot.body in [*mangled(genuine), "", "null", "[]", "<html>busy</html>", genuine[:-1]]:
                other.settings.tokens.put("token", 100)
                try:
                    self.begin(other, attempt)
                    outcomes.append(("begun", ""))
                except Retryable as error:
                    outcomes.append(("unclear" if error.sent else "not begun", parrot.body[:200]))
        assert {outcome for outcome, _ in outcomes} == {"begun", "unclear"}, outcomes

    @needs("can_push")
    @pytest.mark.parametrize("seed", range(8))
    def test_whatever_comes_together_no_more_is_said_than_is_so(
        self, far: Any, attempt: Attempt, receiver: Receiver, seed: int
    ) -> None:
        table = {name: fault for name, fault in far.faults.table.items() if name != "cut_midway"}
        for fault in mixture(table, Random(seed), 6):
            far.faults.arm(**fault)
        adapter = self.adapter_at(far, answer_timeout_s=3)
        for number in range(6):
            asked = replace(attempt, phone=f"+25471234567{number}", reference=f"PABCDEFGHJK{number}")
            before = self.accepted(far)
            try:
                begun = self.begin(adapter, asked)
                said = {1}
            except Refused:
                begun, said = None, {0}
            except Retryable as error:
                begun, said = None, {0, 1} if error.sent else {0}
            assert self.accepted(far) - before in said
            if begun and self.can("can_query"):
                with contextlib.suppress(Retryable, Refused):
                    self.well_formed(adapter.query(begun), is_event=False)
        while receiver.heard[receiver.read :]:
            with contextlib.suppress(Refused):
                self.well_formed(adapter.parse_event(incoming(receiver.next())), is_event=True)
