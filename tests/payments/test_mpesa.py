"""M-Pesa: the suite, and habits of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel.errors import Refused
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, Incoming, Outcome
from payments.providers.mpesa import FINAL_CODES, Mpesa, password
from simulators.daraja import Daraja, Shop
from tests.payments.conformance import PaymentProviderConformance, Receiver, until


class TestMpesa(PaymentProviderConformance):
    provider, simulator = Mpesa, Daraja

    def make_simulator(self) -> Daraja:
        return Daraja(shops=[Shop(consumer_secret=self.secret)])

    def config(self, simulator: Any) -> dict[str, str]:
        shop = simulator.shops["174379"]
        return {
            "consumer_key": shop.consumer_key,
            "consumer_secret": shop.consumer_secret,
            "passkey": shop.passkey,
            "business_shortcode": shop.shortcode,
        }

    def test_the_query_tells_neither_receipt_nor_amount(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        begun = self.push(adapter, attempt)
        result = until(lambda: (found := adapter.query(begun)).outcome is Outcome.SUCCEEDED and found)
        assert (result.receipt, result.amount) == (None, None)

    def test_the_other_face_of_an_open_prompt_is_pending_too(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.query_in_flight = "500.001.1001"
        self.behave(far, "hold")
        assert adapter.query(self.push(adapter, attempt)).outcome is Outcome.PENDING

    def test_a_token_killed_by_a_newer_one_is_replaced(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        self.push(adapter, attempt)
        far.shops["174379"].token = "a newer one"
        self.push(adapter, replace(attempt, phone="+254712345679", reference="PABCDEFGHJKN"))
        assert len(far.pushes) == 2

    def test_a_token_is_used_again(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        begun = self.push(adapter, attempt)
        adapter.query(begun)
        assert sum(one["path"] == "/oauth/v1/generate" for one in far.journal) == 1

    def test_a_second_prompt_on_the_same_phone_is_busy(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        self.behave(far, "hold")
        self.push(adapter, attempt)
        with pytest.raises(Refused, match=r"payment\.busy"):
            adapter.start(attempt)

    def test_a_wrong_passkey_is_a_matter_of_configuration(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.shops["174379"].passkey = "changed"
        with pytest.raises(Refused, match=r"payment\.configuration"):
            adapter.start(attempt)

    @pytest.mark.parametrize("amount", ["0.50", "1500.50", "0", "250001"])
    def test_only_whole_shillings_within_the_limit(self, far: Any, adapter: Any, attempt: Attempt, amount: str) -> None:
        with pytest.raises(Refused):
            adapter.start(replace(attempt, amount=Money(Decimal(amount), "KES")))
        assert far.pushes == {}

    def test_the_time_of_payment_is_nairobis(self, adapter: Any) -> None:
        items = [
            {"Name": "TransactionDate", "Value": 20260115083042},
            {"Name": "Balance"},
            {"Name": "MpesaReceiptNumber", "Value": "TAF0000001"},
            {"Name": "Amount", "Value": 1500.00},
        ]
        body = {
            "Body": {
                "stkCallback": {
                    "CheckoutRequestID": "ws_1",
                    "ResultCode": 0,
                    "ResultDesc": "ok",
                    "CallbackMetadata": {"Item": items},
                }
            }
        }
        result = adapter.parse_event(Incoming(json.dumps(body).encode(), {}, ""))
        assert result.paid_at == datetime(2026, 1, 15, 5, 30, 42, tzinfo=UTC)

    @pytest.mark.parametrize("code", ["4999", "9", "SFC_NEW", "", None, 77])
    def test_a_code_we_do_not_know_decides_nothing(self, adapter: Any, code: Any) -> None:
        body = {"Body": {"stkCallback": {"CheckoutRequestID": "ws_1", "ResultCode": code, "ResultDesc": "?"}}}
        assert adapter.parse_event(Incoming(json.dumps(body).encode(), {}, "")).outcome is Outcome.PENDING

    def test_a_success_without_receipt_is_garbage(self, adapter: Any, receiver: Receiver) -> None:
        body = {"Body": {"stkCallback": {"CheckoutRequestID": "ws_1", "ResultCode": 0, "ResultDesc": "ok"}}}
        with pytest.raises(Refused, match=r"event\.garbage"):
            adapter.parse_event(Incoming(json.dumps(body).encode(), {}, ""))


def test_the_password_of_the_reference() -> None:
    wanted = "MTc0Mzc5dGVzdHBhc3NrZXkwMDAwMjAyNjAxMTUwODMwMDA="
    assert password("174379", "testpasskey0000", "20260115083000") == wanted


def test_only_zero_means_paid() -> None:
    assert [code for code, (outcome, _) in FINAL_CODES.items() if outcome is Outcome.SUCCEEDED] == ["0"]
