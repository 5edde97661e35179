"""What the suite of payment providers stands on.

The simulator speaks the words of ``simulators.faults``: ``behaviours`` of phones, ``faults`` to arm, a ``journal`` that
says which calls arrived and which were accepted. What is said here of an attempt "begun" is proven with that journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from ispbilling.kernel import clock
from ispbilling.kernel.money import Money
from payments.providers.base import (
    AccountSettings,
    Attempt,
    Incoming,
    Outcome,
    PaymentProvider,
    PushSent,
    Result,
)
from tests.conformance import Suite, fits
from tests.outside import Heard, Receiver

PHONE = "+254712345678"


class MemoryTokens:
    """A token store for one test."""

    def __init__(self) -> None:
        self.token: str | None = None

    def get(self) -> str | None:
        return self.token

    def put(self, token: str, lifetime_s: int) -> None:
        self.token = token

    def drop(self, token: str) -> None:
        if self.token == token:
            self.token = None


def incoming(heard: Heard) -> Incoming:
    return Incoming(heard.body, heard.headers, "127.0.0.1")


class Words(Suite):
    """What the parts of the suite stand on: the adapter under test, its simulator, and the words of the tests."""

    contract = PaymentProvider
    provider: ClassVar[type[PaymentProvider]]
    simulator: ClassVar[Any]  # a class with url, start, stop, behaviours, faults, journal; None: no outside system
    currency: ClassVar[str] = "KES"
    other_currency: ClassVar[str] = "USD"
    begin_call: ClassVar[str] = "push"  # the simulator's word for the call that begins an attempt
    query_call: ClassVar[str] = "query"
    token_call: ClassVar[str] = "token"
    refund_call: ClassVar[str] = "refund"
    list_call: ClassVar[str] = "pull"
    takes_token: ClassVar[bool] = True
    is_registered: ClassVar[bool] = True

    capabilities: ClassVar[Mapping[str, str]] = {
        "has_outside": "there is an outside system",
        "can_push": "asks the payer's phone",
        "can_query": "can be asked what became of a payment",
        "has_callbacks": "tells us by itself",
        "can_list": "gives a statement of what came",
        "signs_callbacks": "signs what it tells",
        "tells_currency": "names the currency in what it tells",
        "takes_token": "is called with an access token",
        "can_refund": "gives money back",
        "can_refund_part": "gives a part of the money back",
    }
    depends: ClassVar[Mapping[str, str]] = {
        "signs_callbacks": "has_callbacks",
        "tells_currency": "has_callbacks",
        "can_refund_part": "can_refund",
        "takes_token": "has_outside",
    }

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.adapter_class = getattr(cls, "provider", None)  # the parts of the suite have none yet

    def config(self, simulator: Any) -> dict[str, str]:
        """The settings of an account at this simulator; one of the secret ones is ``secret``."""
        return {}

    def make_simulator(self) -> Any:
        return self.simulator()

    def behave(self, simulator: Any, behaviour: str, delay_s: float = 0.05) -> None:
        """Make the payer's phone approve, refuse, time out …"""
        simulator.behaviours[None] = (behaviour, delay_s)

    @pytest.fixture
    def far(self) -> Iterator[Any]:
        if not self.has_outside():
            yield None
            return
        simulator = self.make_simulator()
        self.behave(simulator, "approve")
        simulator.start()
        yield simulator
        simulator.stop()

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        receiver = Receiver()
        yield receiver
        receiver.stop()

    @pytest.fixture
    def adapter(self, far: Any) -> PaymentProvider:
        return self.adapter_at(far)

    def adapter_at(self, far: Any, url: str = "", *, answer_timeout_s: float = 0) -> PaymentProvider:
        """The adapter with the simulator's account; ``answer_timeout_s``: as for a gateway known to be quick."""
        settings = self.provider.clean_config(self.config(far))
        cls = self.provider
        if answer_timeout_s:
            cls = type("Impatient", (cls,), {"answer_timeout_s": answer_timeout_s})
        return cls(AccountSettings(settings, url or (far.url if far else ""), self.currency, MemoryTokens()))

    @pytest.fixture
    def attempt(self, receiver: Receiver) -> Attempt:
        return Attempt("PABCDEFGHJKM", Money(Decimal(1500), self.currency), PHONE, "Internet", receiver.url)

    def begin(self, adapter: PaymentProvider, attempt: Attempt) -> Attempt:
        started = adapter.start(attempt)
        assert isinstance(started, PushSent)
        assert fits(started.gateway_reference, 80)
        assert started.gateway_reference
        return replace(attempt, gateway_reference=started.gateway_reference, started_at=clock.machine_now())

    def pay(self, adapter: PaymentProvider, attempt: Attempt, receiver: Receiver) -> tuple[Attempt, Result]:
        begun = self.begin(adapter, attempt)
        return begun, adapter.parse_event(incoming(receiver.next()))

    def calls(self, far: Any, call: str) -> list[dict[str, Any]]:
        return [one for one in far.journal if one["call"] == call]

    def accepted(self, far: Any, call: str = "") -> int:
        return sum(one["is_accepted"] for one in self.calls(far, call or self.begin_call))

    def well_formed(self, result: Result, *, is_event: bool) -> None:
        """What the tables can hold, and no success without what makes one."""
        assert isinstance(result.outcome, Outcome)
        assert fits(result.gateway_reference, 80)
        assert fits(result.receipt, 40)
        assert fits(result.code, 40)
        assert fits(result.detail, 300)
        assert fits(result.reason, 20)
        assert fits(result.payer, 80)
        assert result.receipt != ""
        if result.amount is not None:
            assert Decimal(0) < result.amount.amount < Decimal(10) ** 13
        if is_event:
            assert result.gateway_reference
            assert (result.outcome is Outcome.SUCCEEDED) is (result.amount is not None)
