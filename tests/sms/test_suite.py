"""The suite of channels itself: a channel with a fault does not pass it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog

from ispbilling.kernel.errors import Refused
from sms.channels.africastalking import AfricasTalking
from sms.channels.base import Delivery, Outgoing, Report, Sent
from tests.outside import Receiver
from tests.sms.test_africastalking import TestAfricasTalking as Whole


class SendsAgain(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        sent = super().send(messages)
        return [replace(one, delivery=Delivery.RETRY) if one.delivery is Delivery.UNKNOWN else one for one in sent]


class KnocksTwice(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        sent = super().send(messages)
        return super().send(messages) if any(one.delivery is Delivery.UNKNOWN for one in sent) else sent


class GivesUp(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        sent = super().send(messages)
        return [replace(one, delivery=Delivery.FAILED) if one.delivery is Delivery.RETRY else one for one in sent]


class ForgetsTheMissing(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        return [one for one in super().send(messages) if one.code != "missing"]


class MixesThemUp(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        sent = super().send(messages)
        return [replace(one, id=message.id) for one, message in zip(reversed(sent), messages, strict=True)]


class Shortens(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        return super().send([replace(message, text=message.text[:160]) for message in messages])


class Keeps(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        self.last = messages[-1:]
        return super().send(messages)


class Talks(AfricasTalking):
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        structlog.get_logger("sms").info("sending", words=[message.text for message in messages])
        return super().send(messages)


class TakesGarbage(AfricasTalking):
    def parse_report(self, form: Mapping[str, str]) -> Report:
        try:
            return super().parse_report(form)
        except Refused:
            return Report("", Delivery.UNKNOWN)


class Guesses(AfricasTalking):
    def parse_report(self, form: Mapping[str, str]) -> Report:
        return replace(super().parse_report(form), is_final=True)


class Renames(AfricasTalking):
    def parse_report(self, report: Mapping[str, str]) -> Report:
        return super().parse_report(report)


UNCLEAR = {"fault": "cut_after", "options": {}, "is_taken": True}
CASES: list[tuple[type[AfricasTalking], str, dict[str, Any]]] = [
    (SendsAgain, "test_what_may_have_been_sent_is_unknown_and_never_tried_again", UNCLEAR),
    (SendsAgain, "test_no_spoilt_answer_breaks_the_reader_nor_lets_a_sent_message_be_sent_again", {}),
    (KnocksTwice, "test_what_may_have_been_sent_is_unknown_and_never_tried_again", UNCLEAR),
    (GivesUp, "test_later_is_not_never", {"behaviour": "no_balance"}),
    (ForgetsTheMissing, "test_one_missing_in_the_answer_is_unknown", {"count": 1}),
    (MixesThemUp, "test_each_of_several_is_answered_for_itself", {}),
    (Shortens, "test_a_text_arrives_as_it_was_written", {"text": "a" * 161}),
    (Keeps, "test_nothing_is_kept_between_calls", {}),
    (Talks, "test_a_secret_is_never_logged_nor_shown", {}),
    (TakesGarbage, "test_garbage_instead_of_a_report_is_refused", {"kind": "no_id"}),
    (Guesses, "test_a_word_nobody_knows_decides_nothing", {}),
    (Renames, "test_signatures_are_those_of_the_contract", {}),
]


@pytest.mark.parametrize(("broken", "test", "given"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_suite_catches_a_channel_with_a_fault(
    broken: type[AfricasTalking],
    test: str,
    given: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    captured = {"caplog": caplog, "capsys": capsys}
    with fixtures(Whole()) as known:
        call(Whole(), test, {**known, **captured, **given})  # the whole channel passes …
    suite = type("Suite", (Whole,), {"channel": broken})()
    with fixtures(suite) as known, pytest.raises((AssertionError, pytest.fail.Exception)):
        call(suite, test, {**known, **captured, **given})  # … and the broken one does not


@contextmanager
def fixtures(suite: Whole) -> Iterator[dict[str, Any]]:
    """What pytest gives to a test of the suite."""
    far, receiver = suite.make_simulator(), Receiver()
    far.report_url, far.report_delay_s = f"{receiver.base}/hooks/m/{'a' * 32}/report", 0.02
    far.start()
    try:
        yield {"far": far, "receiver": receiver}
    finally:
        far.stop()
        receiver.stop()


def call(suite: Whole, test: str, known: dict[str, Any]) -> None:
    method = getattr(suite, test)
    method(**{name: known[name] for name in inspect.signature(method).parameters})
