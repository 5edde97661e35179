"""Africa's Talking: the suite, and habits of its own."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from simulators import africastalking as simulator
from sms.channels.africastalking import AfricasTalking
from sms.channels.base import ChannelSettings, Delivery
from tests.outside import Parrot
from tests.sms.conformance import ONE, TWO, ChannelConformance


class TestAfricasTalking(ChannelConformance):
    channel, simulator = AfricasTalking, simulator.AfricasTalking

    def make_simulator(self) -> simulator.AfricasTalking:
        return simulator.AfricasTalking(apps={"isp": self.secret})

    def config(self) -> dict[str, str]:
        return {"username": "isp", "api_key": self.secret}

    def test_an_unregistered_sender_is_a_failure_though_http_says_201(self, far: Any) -> None:
        channel = AfricasTalking(ChannelSettings({**self.config(), "sender": "NOBODY"}, far.url))
        sent = self.send(channel, ONE)[ONE]
        assert (sent.delivery, sent.detail) == (Delivery.FAILED, "InvalidSenderId")

    def test_a_wrong_key_waits_until_it_is_mended(self, far: Any) -> None:
        channel = AfricasTalking(ChannelSettings({**self.config(), "api_key": "wrong"}, far.url))
        sent = self.send(channel, ONE)[ONE]
        assert (sent.delivery, sent.code) == (Delivery.RETRY, "configuration")

    def test_several_are_queued_there_and_one_is_not(self, far: Any) -> None:
        channel = self.at(far.url)
        self.send(channel, ONE)
        self.send(channel, ONE, TWO)
        assert ["enqueue" in parse_qs(one["body"]) for one in far.journal] == [False, True]

    @pytest.mark.parametrize(
        ("cost", "read"),
        [
            ("KES 0.8000", (Decimal("0.8"), "KES")),
            ("0", (Decimal(0), "")),
            ("UGX 35", (Decimal(35), "UGX")),
            ("KES NaN", (None, "")),
            ("KES -1", (None, "")),
            ("KES 99999999.99999", (None, "")),
            ("free", (None, "")),
            (None, (None, "")),
        ],
    )
    def test_a_cost_is_a_figure_or_none(self, cost: str | None, read: tuple[Decimal | None, str]) -> None:
        sent = self.answered([{"statusCode": 101, "number": ONE, "messageId": "A1", "cost": cost}], ONE)[ONE]
        assert (sent.cost, sent.currency) == read

    def answered(self, recipients: list[Any], *numbers: str, message: str = "Sent to 1/1") -> dict[str, Any]:
        body = {"SMSMessageData": {"Message": message, "Recipients": recipients}}
        with Parrot(json.dumps(body), 201) as parrot:
            return self.send(self.at(parrot.url), *numbers)

    def test_a_number_that_could_be_two_is_nobodys(self) -> None:
        ours, neighbours = "+254712345678", "+256712345678"
        entry = {"statusCode": 101, "number": "0712345678", "messageId": "A1"}
        sent = self.answered([entry], ours, neighbours)
        assert [one.delivery for one in sent.values()] == [Delivery.UNKNOWN] * 2

    def test_one_entry_answers_one_message(self) -> None:
        entry = {"statusCode": 101, "number": ONE, "messageId": "A1"}
        sent = self.answered([entry, "nonsense", entry | {"number": "+999"}], ONE, TWO)
        assert (sent[ONE].provider_id, sent[TWO].delivery) == ("A1", Delivery.UNKNOWN)

    @pytest.mark.parametrize(
        ("message", "delivery"),
        [
            ("Sent to 1/1 Total Cost: KES 0.8000", Delivery.UNKNOWN),
            ("Sent to 0/1 Total Cost: 0", Delivery.FAILED),
            ("InvalidSenderId", Delivery.FAILED),
        ],
    )
    def test_nobody_in_the_answer_is_a_failure_unless_it_says_that_it_sent(
        self, message: str, delivery: Delivery
    ) -> None:
        assert self.answered([], ONE, message=message)[ONE].delivery is delivery

    @pytest.mark.parametrize(
        ("status", "delivery"),
        [
            (202, Delivery.UNKNOWN),
            (302, Delivery.RETRY),
            (400, Delivery.FAILED),
            (404, Delivery.RETRY),
            (418, Delivery.UNKNOWN),
        ],
    )
    def test_other_answers_of_the_door(self, status: int, delivery: Delivery) -> None:
        with Parrot("", status) as parrot:
            assert self.send(self.at(parrot.url), ONE)[ONE].delivery is delivery

    def test_a_call_carries_one_text_and_none_carries_nothing(self, far: Any) -> None:
        assert self.at(far.url).send([]) == []
        assert far.journal == []
