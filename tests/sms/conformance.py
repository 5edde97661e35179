"""What every message channel must do, asked of it through a simulator."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from sms.channels.base import Channel, ChannelSettings, Delivery, Outgoing

ONE, TWO = "+254712345678", "+254722345678"


class ChannelConformance:
    """A subclass names adapter and simulator, and says how a phone behaves there."""

    channel: ClassVar[type[Channel]]

    def config(self) -> dict[str, str]:
        raise AssertionError("a subclass says so")

    @pytest.fixture
    def far(self) -> Iterator[Any]:
        raise AssertionError("a subclass says so")

    def at(self, url: str) -> Channel:
        return self.channel(ChannelSettings(self.channel.clean_config(self.config()), url))

    def test_a_message_is_accepted(self, far: Any) -> None:
        [sent] = self.at(far.url).send([Outgoing("1", ONE, "Habari é বাংলা")])
        assert (sent.id, sent.delivery) == ("1", Delivery.ACCEPTED)
        assert sent.provider_id
        assert [one["text"] for one in far.messages] == ["Habari é বাংলা"]

    def test_each_of_several_is_answered(self, far: Any) -> None:
        far.behaviours[TWO] = "invalid"
        sent = {one.id: one for one in self.at(far.url).send([Outgoing("1", ONE, "x"), Outgoing("2", TWO, "x")])}
        assert (sent["1"].delivery, sent["2"].delivery) == (Delivery.ACCEPTED, Delivery.FAILED)

    def test_one_missing_in_the_answer_is_unknown(self, far: Any) -> None:
        far.behaviours[TWO] = "lost"
        sent = {one.id: one for one in self.at(far.url).send([Outgoing("1", ONE, "x"), Outgoing("2", TWO, "x")])}
        assert sent["2"].delivery is Delivery.UNKNOWN

    def test_a_provider_that_is_away_is_tried_again(self, far: Any) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        [sent] = self.at(url).send([Outgoing("1", ONE, "x")])
        assert sent.delivery is Delivery.RETRY

    @pytest.mark.parametrize(
        ("behaviour", "delivery"), [("no_balance", Delivery.RETRY), ("server_error", Delivery.RETRY)]
    )
    def test_later_is_not_never(self, far: Any, behaviour: str, delivery: Delivery) -> None:
        far.behaviours[ONE] = behaviour
        [sent] = self.at(far.url).send([Outgoing("1", ONE, "x")])
        assert sent.delivery is delivery
        assert far.messages == []
