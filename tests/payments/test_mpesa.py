"""M-Pesa: the suite, and habits of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, Incoming, Outcome
from payments.providers.mpesa import FINAL_CODES, Mpesa, password
from payments.providers.mpesa_pull import page_of
from simulators.daraja import Daraja, Shop
from tests.outside import Parrot
from tests.payments.conformance import PaymentProviderConformance, Receiver, until


class TestMpesa(PaymentProviderConformance):
    provider, simulator = Mpesa, Daraja

    def make_simulator(self) -> Daraja:
        return Daraja(shops=[Shop(consumer_secret=self.secret, consumer_key="KEY-51ab", passkey="PASSKEY-77aa")])

    def config(self, simulator: Any) -> dict[str, str]:
        shop = simulator.shops["174379"]
        return {
            "consumer_key": shop.consumer_key,
            "consumer_secret": shop.consumer_secret,
            "passkey": shop.passkey,
            "business_shortcode": shop.shortcode,
            "pull": "yes",
            "nominated_number": "254722000000",
        }

    def test_a_statement_is_read_only_where_the_account_asks_for_it(self, far: Any) -> None:
        config = Mpesa.clean_config(self.config(far))
        assert Mpesa.lists(config)
        assert not Mpesa.lists(Mpesa.clean_config({**self.config(far), "pull": "no"}))
        assert not Mpesa.lists({name: value for name, value in config.items() if name != "pull"})

    def test_the_statement_of_a_shop_that_never_registered_is_empty(
        self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver
    ) -> None:
        self.pay(adapter, attempt, receiver)
        assert self.statement(adapter) == []

    def test_a_payer_of_the_statement_is_masked(self, far: Any, attempt: Attempt, receiver: Receiver) -> None:
        adapter = self.registered(far)
        self.pay(adapter, attempt, receiver)
        assert [entry.payer for entry in self.statement(adapter)] == ["2547 ***** 678"]

    @pytest.mark.parametrize("told", ["2026-01-15 08:30:42", "2026-01-15T08:30:42Z", "20260115083042"])
    def test_the_time_of_the_statement_is_nairobis(self, told: str) -> None:
        row = {"transactionId": "TAF0000001", "trxDate": told, "amount": "10.00"}
        page = page_of({"ResponseCode": "1000", "Response": [row]}, "")
        assert page is not None
        assert page.entries[0].at == datetime(2026, 1, 15, 5, 30, 42, tzinfo=UTC)

    def test_what_goes_out_is_no_income(self) -> None:
        row = {"transactionId": "TAF0000001", "transactiontype": "reversal", "amount": "10.00"}
        page = page_of({"ResponseCode": "1000", "Response": [[row]]}, "")
        assert page is not None
        assert (page.entries, page.unread) == ((), 1)

    def test_the_query_tells_neither_receipt_nor_amount(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        begun = self.begin(adapter, attempt)
        result = until(lambda: (found := adapter.query(begun)).outcome is Outcome.SUCCEEDED and found)
        assert (result.receipt, result.amount) == (None, None)

    def test_a_second_prompt_on_the_same_phone_is_busy(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        self.behave(far, "hold")
        self.begin(adapter, attempt)
        with pytest.raises(Refused, match=r"payment\.busy"):
            adapter.start(attempt)
        assert self.accepted(far) == 1

    @pytest.mark.parametrize(
        ("code", "ours"),
        [
            ("400.002.02", "payment.rejected"),
            ("404.001.01", "payment.configuration"),
            ("405.001", "payment.configuration"),
            ("500.001.1001", "payment.configuration"),
            ("500.003.02", "payment.busy"),
            ("500.003.03", "payment.busy"),
        ],
    )
    def test_an_error_of_the_vendors_table_has_begun_nothing(
        self, far: Any, adapter: Any, attempt: Attempt, code: str, ours: str
    ) -> None:
        far.faults.arm("error_code", code=code)
        with pytest.raises(Refused) as caught:
            adapter.start(attempt)
        assert (caught.value.code, caught.value.provider_code) == (ours, code)
        assert self.accepted(far) == 0

    @pytest.mark.parametrize("code", ["500.003.1001", "500.009.0001"])
    def test_an_error_that_says_nothing_certain_leaves_the_outcome_open(
        self, far: Any, adapter: Any, attempt: Attempt, code: str
    ) -> None:
        far.faults.arm("error_code", code=code)
        with pytest.raises(Retryable) as caught:
            adapter.start(attempt)
        assert caught.value.sent is True

    @pytest.mark.parametrize("text", ["", "The transaction is being processed", None])
    def test_the_overloaded_code_with_an_unknown_text_says_nothing_certain(
        self, far: Any, attempt: Attempt, text: str | None
    ) -> None:
        with Parrot(json.dumps({"errorCode": "500.001.1001", "errorMessage": text}), 500) as parrot:
            adapter = self.adapter_at(far, parrot.url)
            adapter.settings.tokens.put("token", 100)
            with pytest.raises(Retryable) as caught:
                adapter.start(attempt)
        assert caught.value.sent is True

    def test_a_wrong_passkey_is_a_matter_of_configuration(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.shops["174379"].passkey = "changed"
        with pytest.raises(Refused, match=r"payment\.configuration"):
            adapter.start(attempt)

    def test_a_wrong_secret_is_a_matter_of_configuration(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.shops["174379"].consumer_secret = "changed"
        with pytest.raises(Refused, match=r"payment\.configuration") as caught:
            adapter.start(attempt)
        assert caught.value.provider_code == "400.008.01"

    @pytest.mark.parametrize("amount", ["0.50", "1500.50", "0", "250001"])
    def test_only_whole_shillings_within_the_limit(self, far: Any, adapter: Any, attempt: Attempt, amount: str) -> None:
        with pytest.raises(Refused):
            adapter.start(replace(attempt, amount=Money(Decimal(amount), "KES")))
        assert far.pushes == {}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("environment", "Sandbox"),
            ("transaction_type", "PayBill"),
            ("max_amount", "a lot"),
            ("max_amount", "0"),
            ("business_shortcode", "my shop"),
            ("party_b", "12"),
            ("pull", "maybe"),
            ("nominated_number", "0722000000"),
            ("nominated_number", ""),
        ],
    )
    def test_a_setting_that_cannot_be_is_refused_before_anybody_pays(self, far: Any, name: str, value: str) -> None:
        with pytest.raises(Refused, match=rf"config\.invalid: not possible: {name}"):
            Mpesa.clean_config({**self.config(far), name: value})

    def test_a_till_is_paid_under_its_store_number(self, far: Any, attempt: Attempt) -> None:
        class Till(TestMpesa):
            def config(self, simulator: Any) -> dict[str, str]:
                kind = {"party_b": "567890", "transaction_type": "CustomerBuyGoodsOnline"}
                return {**super().config(simulator), **kind}

        self.begin(Till().adapter_at(far), attempt)
        body = json.loads(self.calls(far, "push")[0]["body"])
        assert (body["BusinessShortCode"], body["PartyB"]) == ("174379", "567890")

    def test_two_accounts_do_not_mix(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        far.shops["600001"] = Shop("600001", "other-passkey", "other-key", "other-secret")

        class Other(TestMpesa):
            def config(self, simulator: Any) -> dict[str, str]:
                shop = simulator.shops["600001"]
                return {
                    "consumer_key": shop.consumer_key,
                    "consumer_secret": shop.consumer_secret,
                    "passkey": shop.passkey,
                    "business_shortcode": shop.shortcode,
                }

        other = Other().adapter_at(far)
        for number in range(4):
            phone = f"+25471234560{number}"
            self.begin((adapter, other)[number % 2], replace(attempt, phone=phone))
        assert [push.shortcode for push in far.pushes.values()] == ["174379", "600001"] * 2
        assert len(self.calls(far, "token")) == 2

    def test_the_time_of_payment_is_nairobis(self, adapter: Any) -> None:
        items = [
            {"Name": "TransactionDate", "Value": 20260115083042},
            {"Name": "Balance"},
            {"Name": "MpesaReceiptNumber", "Value": "TAF0000001"},
            {"Name": "Amount", "Value": 1500.00},
        ]
        result = adapter.parse_event(told(0, items))
        assert result.paid_at == datetime(2026, 1, 15, 5, 30, 42, tzinfo=UTC)

    @pytest.mark.parametrize("code", ["4999", "9", "SFC_NEW", "", None, 77])
    def test_a_code_we_do_not_know_decides_nothing(self, adapter: Any, code: Any) -> None:
        assert adapter.parse_event(told(code)).outcome is Outcome.PENDING

    @pytest.mark.parametrize(
        "items",
        [
            [],
            [{"Name": "Amount", "Value": 1500}],
            [{"Name": "Amount", "Value": 1500}, {"Name": "MpesaReceiptNumber"}],
            [{"Name": "MpesaReceiptNumber", "Value": "TAF0000001"}, {"Name": "Amount"}],
        ],
    )
    def test_a_success_without_receipt_or_amount_is_garbage(
        self, adapter: Any, receiver: Receiver, items: list[dict[str, Any]]
    ) -> None:
        with pytest.raises(Refused, match=r"event\.garbage"):
            adapter.parse_event(told(0, items))


def told(code: Any, items: list[dict[str, Any]] | None = None) -> Incoming:
    callback = {"CheckoutRequestID": "ws_1", "ResultCode": code, "ResultDesc": "?"}
    if items is not None:
        callback["CallbackMetadata"] = {"Item": items}
    return Incoming(json.dumps({"Body": {"stkCallback": callback}}).encode(), {}, "")


def test_the_password_of_the_reference() -> None:
    wanted = "MTc0Mzc5dGVzdHBhc3NrZXkwMDAwMjAyNjAxMTUwODMwMDA="
    assert password("174379", "testpasskey0000", "20260115083000") == wanted


def test_only_zero_means_paid() -> None:
    assert [code for code, (outcome, _) in FINAL_CODES.items() if outcome is Outcome.SUCCEEDED] == ["0"]
