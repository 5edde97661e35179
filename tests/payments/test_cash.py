"""Cash: the suite, for a provider without an outside system."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel.money import Money
from payments.providers.base import Attempt
from payments.providers.cash import Cash
from tests.payments.conformance import PaymentProviderConformance


class TestCash(PaymentProviderConformance):
    provider, simulator, takes_token = Cash, None, False

    @pytest.mark.parametrize(
        ("currency", "shown"), [("KES", "KES 1,500.50"), ("JPY", "JPY 1,501"), ("BDT", "BDT 1,500.50")]
    )
    def test_every_currency_is_counted_at_the_counter(
        self, adapter: Any, attempt: Attempt, currency: str, shown: str
    ) -> None:
        started = adapter.start(replace(attempt, amount=Money(Decimal("1500.50"), currency), phone=""))
        assert shown in started.text
