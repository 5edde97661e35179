"""Africa's Talking: the suite, and habits of its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ispbilling.kernel.errors import Refused
from simulators import africastalking as simulator
from sms.channels.africastalking import AfricasTalking
from sms.channels.base import ChannelSettings, Delivery, Outgoing
from tests.payments.conformance import answering
from tests.sms.conformance import ONE, ChannelConformance


class TestAfricasTalking(ChannelConformance):
    channel = AfricasTalking

    def config(self) -> dict[str, str]:
        return {"username": "isp", "api_key": "PLANTED-9f2c"}

    @pytest.fixture
    def far(self) -> Iterator[Any]:
        far = simulator.AfricasTalking(apps={"isp": "PLANTED-9f2c"})
        far.start()
        yield far
        far.stop()

    def test_the_cost_is_read(self, far: Any) -> None:
        [sent] = self.at(far.url).send([Outgoing("1", ONE, "x")])
        assert (sent.cost, sent.currency) == (Decimal("0.8000"), "KES")

    def test_whoever_opted_out_is_never_tried_again(self, far: Any) -> None:
        far.behaviours[ONE] = "blacklist"
        [sent] = self.at(far.url).send([Outgoing("1", ONE, "x")])
        assert (sent.delivery, sent.opted_out) == (Delivery.FAILED, True)

    def test_an_unregistered_sender_is_a_failure_though_http_says_201(self, far: Any) -> None:
        config = {**self.config(), "sender": "NOBODY"}
        [sent] = AfricasTalking(ChannelSettings(config, far.url)).send([Outgoing("1", ONE, "x")])
        assert (sent.delivery, sent.detail) == (Delivery.FAILED, "InvalidSenderId")

    def test_a_wrong_key_waits_until_it_is_mended(self, far: Any) -> None:
        config = {**self.config(), "api_key": "wrong"}
        [sent] = AfricasTalking(ChannelSettings(config, far.url)).send([Outgoing("1", ONE, "x")])
        assert (sent.delivery, sent.code) == (Delivery.RETRY, "configuration")

    @pytest.mark.parametrize("body", ["<html/>", "{}", '{"SMSMessageData": 1}'])
    def test_garbage_after_sending_is_unknown(self, body: str) -> None:
        with answering(body) as url:
            [sent] = self.at(url).send([Outgoing("1", ONE, "x")])
        assert sent.delivery is Delivery.UNKNOWN

    @pytest.mark.parametrize(
        ("status", "delivery", "is_final"),
        [
            ("Success", Delivery.DELIVERED, True),
            ("Failed", Delivery.FAILED, True),
            ("Buffered", Delivery.ACCEPTED, False),
        ],
    )
    def test_reports(self, status: str, delivery: Delivery, is_final: bool) -> None:
        report = self.at("").parse_report({"id": "ATXid_1", "status": status, "phoneNumber": ONE})
        assert (report.provider_id, report.delivery, report.is_final) == ("ATXid_1", delivery, is_final)

    def test_a_report_without_id_is_garbage(self) -> None:
        with pytest.raises(Refused):
            self.at("").parse_report({"status": "Success"})
