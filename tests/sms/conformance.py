"""What every message channel must do, asked of it through a simulator. A subclass names adapter and simulator.

The simulator speaks the words of ``simulators.faults``: ``behaviours`` of phones, ``faults`` to arm, ``messages`` that
were taken and a ``journal`` of calls. RETRY is proven to have sent nothing, and what may have been sent is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

import pytest
from django.http import QueryDict

from ispbilling.kernel.errors import Refused, Unsupported
from simulators.faults import mixture
from sms.channels.base import Channel, ChannelSettings, Delivery, Outgoing, Sent, channels
from tests.conformance import UNCLEAR, Suite, fits, mangled, needs, state_of
from tests.outside import Parrot, Receiver, nobody

ONE, TWO, THREE = "+254712345678", "+254722345678", "+254733345678"
TEXT = "Habari é বাংলা € {name} 😀"

REFUSALS = ("risk", "bad_sender", "invalid", "unsupported", "blacklist", "no_route", "do_not_disturb", "rejected")


class ChannelConformance(Suite):
    """Subclass per channel: ``channel``, ``simulator``, ``make_simulator`` and ``config``."""

    contract = Channel
    channel: ClassVar[type[Channel]]
    simulator: ClassVar[Any]  # a class with url, start, stop, behaviours, faults, messages, journal; None: no outside
    send_call: ClassVar[str] = "messaging"

    capabilities: ClassVar[Mapping[str, str]] = {
        "has_outside": "there is an outside system",
        "has_reports": "reports on delivery",
        "tells_cost": "tells what a message cost",
    }

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.adapter_class = getattr(cls, "channel", None)

    def config(self) -> dict[str, str]:
        """The settings of an account at the simulator; one of the secret ones is ``secret``."""
        return {}

    def make_simulator(self) -> Any:
        return self.simulator()

    @pytest.fixture
    def far(self) -> Iterator[Any]:
        if not self.has_outside():
            yield None
            return
        simulator = self.make_simulator()
        simulator.start()
        yield simulator
        simulator.stop()

    @pytest.fixture
    def receiver(self, far: Any) -> Iterator[Receiver]:
        """Where the simulator's reports arrive."""
        receiver = Receiver()
        far.report_url, far.report_delay_s = f"{receiver.base}/hooks/m/{'a' * 32}/report", 0.02
        yield receiver
        receiver.stop()

    def at(self, url: str, *, answer_timeout_s: float = 0) -> Channel:
        """The adapter with the simulator's account; ``answer_timeout_s``: as for a provider known to be quick."""
        cls = self.channel
        if answer_timeout_s:
            cls = type("Impatient", (cls,), {"answer_timeout_s": answer_timeout_s})
        return cls(ChannelSettings(self.channel.clean_config(self.config()), url))

    def url(self, far: Any) -> str:
        return str(far.url) if far else ""

    def send(self, channel: Channel, *numbers: str, text: str = "x") -> dict[str, Sent]:
        """One message to each; the answers by number. Every message is answered once and can be stored."""
        messages = [Outgoing(str(place), number, text) for place, number in enumerate(numbers)]
        sent = channel.send(messages)
        assert sorted(one.id for one in sent) == sorted(message.id for message in messages)
        for one in sent:
            assert isinstance(one.delivery, Delivery)
            assert fits(one.provider_id, 80)
            assert fits(one.code, 60)
            assert fits(one.detail, 200)
            assert fits(one.currency, 3)
            assert one.cost is None or Decimal(0) <= one.cost < Decimal(10) ** 8
        return {numbers[int(one.id)]: one for one in sent}

    # --- what it says of itself ---------------------------------------------------------------------------------

    def test_what_it_says_it_can_do_is_what_it_does(self) -> None:
        assert (self.channel.parse_report is not Channel.parse_report) is self.channel.has_reports
        assert self.channel.batch_size >= 1
        assert channels.get(self.channel.name) is self.channel

    def test_what_it_cannot_do_it_says(self, far: Any) -> None:
        if not self.can("has_reports"):
            with pytest.raises(Unsupported):
                self.at(self.url(far)).parse_report({"id": "1", "status": "Success"})

    # --- sending ------------------------------------------------------------------------------------------------

    def test_a_message_is_accepted_and_has_a_name_of_its_own(self, far: Any) -> None:
        channel = self.at(self.url(far))
        first, second = self.send(channel, ONE)[ONE], self.send(channel, TWO)[TWO]
        assert (first.delivery, second.delivery) == (Delivery.ACCEPTED, Delivery.ACCEPTED)
        assert first.provider_id

    @needs("has_outside")
    @pytest.mark.parametrize("text", ["x", TEXT, "a" * 161, "বাংলা " * 60, "line\nline & = + % #"])
    def test_a_text_arrives_as_it_was_written(self, far: Any, text: str) -> None:
        self.send(self.at(far.url), ONE, text=text)
        assert [one["text"] for one in far.messages] == [text]

    @needs("has_outside")
    def test_each_of_several_is_answered_for_itself(self, far: Any) -> None:
        far.behaviours |= {TWO: "invalid", THREE: "no_balance"}
        sent = self.send(self.at(far.url), ONE, TWO, THREE)
        assert [sent[number].delivery for number in (ONE, TWO, THREE)] == [
            Delivery.ACCEPTED,
            Delivery.FAILED,
            Delivery.RETRY,
        ]
        assert [one["to"] for one in far.messages] == [ONE]
        assert len(far.journal) == 1

    @needs("has_outside")
    def test_two_messages_to_one_number_are_two_messages(self, far: Any) -> None:
        sent = self.at(far.url).send([Outgoing("1", ONE, "x"), Outgoing("2", ONE, "x")])
        assert [one.delivery for one in sent] == [Delivery.ACCEPTED] * 2
        assert {one.provider_id for one in sent} == {one["id"] for one in far.messages}

    @needs("has_outside")
    def test_a_whole_batch_is_sent_in_one_call(self, far: Any) -> None:
        numbers = [f"+2547{number:08}" for number in range(self.channel.batch_size)]
        sent = self.send(self.at(far.url), *numbers)
        assert {one.delivery for one in sent.values()} == {Delivery.ACCEPTED}
        assert {one["id"]: one["to"] for one in far.messages} == {sent[to].provider_id: to for to in numbers}

    @needs("has_outside")
    @pytest.mark.parametrize("form", ["digits", "local", "spaced"])
    def test_numbers_are_known_however_the_answer_writes_them(self, far: Any, form: str) -> None:
        far.behaviours[TWO] = "invalid"
        far.faults.arm("number_form", form=form)
        sent = self.send(self.at(far.url), ONE, TWO)
        assert (sent[ONE].delivery, sent[TWO].delivery) == (Delivery.ACCEPTED, Delivery.FAILED)
        assert sent[ONE].provider_id == far.messages[0]["id"]

    @needs("has_outside")
    @pytest.mark.parametrize("count", [1, 2])
    def test_one_missing_in_the_answer_is_unknown(self, far: Any, count: int) -> None:
        far.faults.arm("recipients_missing", count=count)
        sent = self.send(self.at(far.url), ONE, TWO)
        assert sent[TWO].delivery is Delivery.UNKNOWN
        assert sent[ONE].delivery is (Delivery.ACCEPTED if count == 1 else Delivery.UNKNOWN)
        assert len(far.messages) == 2

    @needs("has_outside")
    @pytest.mark.parametrize(
        "behaviour",
        ["risk", "bad_sender", "invalid", "unsupported", "blacklist", "no_route", "do_not_disturb", "rejected"],
    )
    def test_refused_is_refused(self, far: Any, behaviour: str) -> None:
        far.behaviours[ONE] = behaviour
        sent = self.send(self.at(far.url), ONE)[ONE]
        assert (sent.delivery, sent.opted_out) == (Delivery.FAILED, behaviour == "blacklist")
        assert far.messages == []

    # --- an outside that fails ----------------------------------------------------------------------------------

    @needs("has_outside")
    @pytest.mark.parametrize("behaviour", ["no_balance", "server_error", "gateway_error"])
    def test_later_is_not_never(self, far: Any, behaviour: str) -> None:
        far.behaviours[ONE] = behaviour
        assert self.send(self.at(far.url), ONE)[ONE].delivery is Delivery.RETRY
        assert far.messages == []

    @needs("has_outside")
    def test_a_provider_that_is_away_is_tried_again(self, far: Any) -> None:
        with nobody() as url:
            assert self.send(self.at(url), ONE)[ONE].delivery is Delivery.RETRY
        assert far.journal == []

    @needs("has_outside")
    @pytest.mark.parametrize("status", [401, 403, 429])
    def test_whoever_is_turned_away_at_the_door_sent_nothing_and_tries_again(self, far: Any, status: int) -> None:
        far.faults.arm("http_refused", status=status)
        assert self.send(self.at(far.url), ONE)[ONE].delivery is Delivery.RETRY
        assert far.messages == []

    @needs("has_outside")
    @pytest.mark.parametrize(("fault", "options", "is_taken"), [*UNCLEAR, pytest.param("cut_midway", {}, True)])
    def test_what_may_have_been_sent_is_unknown_and_never_tried_again(
        self, far: Any, fault: str, options: dict[str, Any], is_taken: bool
    ) -> None:
        far.faults.arm(fault, **options)
        sent = self.send(self.at(far.url, answer_timeout_s=0.5), ONE, TWO)
        assert [one.delivery for one in sent.values()] == [Delivery.UNKNOWN] * 2
        assert len(far.messages) == (2 if is_taken else 0)
        assert [one["is_accepted"] for one in far.journal] == [is_taken]

    @needs("has_outside")
    def test_slow_is_not_away(self, far: Any) -> None:
        far.faults.arm("latency", seconds=0.5)
        assert self.send(self.at(far.url), ONE)[ONE].delivery is Delivery.ACCEPTED

    @needs("has_outside")
    def test_no_spoilt_answer_breaks_the_reader_nor_lets_a_sent_message_be_sent_again(self, far: Any) -> None:
        self.send(self.at(far.url), ONE, TWO)
        genuine = far.journal[-1]["answer"]
        seen = []
        with Parrot(status=201) as parrot:
            channel = self.at(parrot.url)
            for parrot.body in [*mangled(genuine), "", "null", "[]", "<html/>", genuine[:-1], '{"SMSMessageData": 1}']:
                seen += [(one.delivery, parrot.body[:300]) for one in self.send(channel, ONE, TWO).values()]
        kinds = {delivery for delivery, _ in seen}
        assert {Delivery.ACCEPTED, Delivery.UNKNOWN} <= kinds
        assert [body for delivery, body in seen if delivery is Delivery.RETRY] == []

    @needs("has_outside")
    @pytest.mark.parametrize("seed", range(8))
    def test_whatever_comes_together_no_more_is_said_than_is_so(self, far: Any, seed: int) -> None:
        table = {name: fault for name, fault in far.faults.table.items() if name != "cut_midway"}
        for fault in mixture(table, Random(seed), 6):
            far.faults.arm(**fault)
        channel = self.at(far.url, answer_timeout_s=3)
        for call in range(6):
            numbers = [f"+25471234{call}{place:03}" for place in range(4)]
            far.behaviours |= {numbers[1]: "invalid", numbers[2]: "no_balance"}
            sent = self.send(channel, *numbers)
            taken = {one["to"]: one["id"] for one in far.messages}
            for number, one in sent.items():
                if one.delivery is Delivery.ACCEPTED:
                    assert taken[number] == one.provider_id
                elif one.delivery in (Delivery.RETRY, Delivery.FAILED):
                    assert number not in taken

    # --- reports ------------------------------------------------------------------------------------------------

    def report(self, channel: Channel, receiver: Receiver) -> Any:
        return channel.parse_report(self.form(receiver.next().body))

    def form(self, body: bytes) -> dict[str, str]:
        """The fields of a report as a web server reads them."""
        return QueryDict(body).dict()

    @needs("has_reports")
    def test_a_report_is_about_the_message_it_names(self, far: Any, receiver: Receiver) -> None:
        channel = self.at(far.url)
        sent = self.send(channel, ONE)[ONE]
        report = self.report(channel, receiver)
        assert (report.provider_id, report.delivery, report.is_final) == (sent.provider_id, Delivery.DELIVERED, True)

    @needs("has_reports")
    @pytest.mark.parametrize(
        ("status", "delivery", "is_final"),
        [
            ("Sent", Delivery.ACCEPTED, False),
            ("Submitted", Delivery.ACCEPTED, False),
            ("Buffered", Delivery.ACCEPTED, False),
            ("Success", Delivery.DELIVERED, True),
            ("Failed", Delivery.FAILED, True),
            ("Rejected", Delivery.FAILED, True),
            ("AbsentSubscriber", Delivery.FAILED, True),
            ("Expired", Delivery.FAILED, True),
        ],
    )
    def test_every_word_of_a_report_is_known(
        self, far: Any, receiver: Receiver, status: str, delivery: Delivery, is_final: bool
    ) -> None:
        far.faults.arm("report_status", status=status)
        channel = self.at(far.url)
        self.send(channel, ONE)
        report = self.report(channel, receiver)
        assert (report.delivery, report.is_final) == (delivery, is_final)

    @needs("has_reports")
    def test_the_same_report_again_is_read_the_same(self, far: Any, receiver: Receiver) -> None:
        far.faults.arm("reports_repeated", copies=3)
        channel = self.at(far.url)
        self.send(channel, ONE)
        reports = [self.report(channel, receiver) for _ in range(3)]
        assert reports == [reports[0]] * 3

    @needs("has_reports")
    def test_a_report_before_the_answer_names_the_same_message(self, far: Any, receiver: Receiver) -> None:
        far.faults.arm("report_early")
        channel = self.at(far.url)
        sent = self.send(channel, ONE)[ONE]
        assert len(receiver.heard) == 1
        assert self.report(channel, receiver).provider_id == sent.provider_id

    @needs("has_reports")
    def test_a_forged_report_is_about_a_message_of_nobody(self, far: Any, receiver: Receiver) -> None:
        far.faults.arm("report_forged", kind="unknown_id")
        channel = self.at(far.url)
        sent = self.send(channel, ONE)[ONE]
        forged, true = self.report(channel, receiver), self.report(channel, receiver)
        assert forged.provider_id != sent.provider_id
        assert true.provider_id == sent.provider_id

    @needs("has_reports")
    def test_reports_out_of_order_are_read_each_as_it_is(self, far: Any, receiver: Receiver) -> None:
        far.faults.arm("reports_out_of_order", seconds=0.05)
        channel = self.at(far.url)
        self.send(channel, ONE)
        told = [self.report(channel, receiver).delivery for _ in range(2)]
        assert told == [Delivery.DELIVERED, Delivery.FAILED]

    @needs("has_reports")
    @pytest.mark.parametrize("kind", ["empty", "no_id", "binary"])
    def test_garbage_instead_of_a_report_is_refused(self, far: Any, receiver: Receiver, kind: str) -> None:
        far.faults.arm("report_garbage", kind=kind)
        channel = self.at(far.url)
        self.send(channel, ONE)
        with pytest.raises(Refused, match=r"report\.garbage"):
            self.report(channel, receiver)

    @needs("has_reports")
    def test_a_word_nobody_knows_decides_nothing(self, far: Any, receiver: Receiver) -> None:
        far.faults.arm("report_garbage", kind="unknown_status")
        channel = self.at(far.url)
        self.send(channel, ONE)
        report = self.report(channel, receiver)
        assert (report.delivery, report.is_final) == (Delivery.UNKNOWN, False)

    @needs("has_reports")
    def test_no_spoilt_report_breaks_the_reader_nor_gives_what_cannot_be_stored(
        self, far: Any, receiver: Receiver
    ) -> None:
        channel = self.at(far.url)
        self.send(channel, ONE)
        genuine = self.form(receiver.next().body)
        read = refused = 0
        for name in genuine:
            for nasty in ("", " ", "\x00", "a\x00b", "x" * 5000, "\ud800", "বাংলা", "None", "0"):
                try:
                    report = channel.parse_report({**genuine, "failureReason": "x", name: nasty})
                except Refused:
                    refused += 1
                    continue
                read += 1
                assert report.provider_id
                assert fits(report.provider_id, 80)
                assert fits(report.code, 200)
        assert read > 20
        assert refused >= 3

    # --- keeping still ------------------------------------------------------------------------------------------

    @needs("tells_cost")
    def test_the_cost_is_an_exact_decimal_with_its_currency(self, far: Any) -> None:
        sent = self.send(self.at(far.url), ONE)[ONE]
        assert isinstance(sent.cost, Decimal)
        assert (sent.cost, sent.currency) == (Decimal("0.8000"), "KES")

    def test_nothing_is_kept_between_calls(self, far: Any) -> None:
        channel = self.at(self.url(far))
        before = state_of(channel)
        self.send(channel, ONE, TWO)
        assert state_of(channel) == before

    def test_a_secret_is_never_logged_nor_shown(
        self, far: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level("DEBUG")
        channel = self.at(self.url(far), answer_timeout_s=0.5)
        shown: list[Any] = [channel, channel.settings, *self.send(channel, ONE, text="CODE-482913").values()]
        for fault in ("http_refused", "http_error", "html", "cut_after", "timeout_after", "truncated") if far else ():
            far.faults.clear()
            far.faults.arm(fault)
            shown += self.send(channel, ONE, text="CODE-482913").values()
        printed = capsys.readouterr()
        told = caplog.text + printed.out + printed.err + " ".join(f"{one} {one!r}" for one in shown)
        assert ("http.call" if far else "message.console") in caplog.text + printed.err
        config = self.config()
        planted = [config[name] for name, field in self.channel.config.items() if field.secret]
        assert planted == ([self.secret] if far else [])
        for secret in [*planted, "CODE-482913", ONE]:
            assert secret not in told
