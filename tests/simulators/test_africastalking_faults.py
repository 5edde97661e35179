"""Every fault of the simulated Africa's Talking, seen from outside. A fault without a case here fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from simulators.africastalking import FAULTS, AfricasTalking, control_handlers
from tests.outside import Receiver, is_cut, until

ONE, TWO = "+254712345678", "+254722345678"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


class Sender:
    """A program that sends messages."""

    def __init__(self, far: AfricasTalking, receiver: Receiver) -> None:
        self.far, self.receiver = far, receiver
        far.report_url = f"{receiver.base}/hooks/m/{'a' * 32}/report"
        far.report_delay_s = 0.02

    def send(self, *numbers: str) -> requests.Response:
        return requests.post(
            f"{self.far.url}/version1/messaging",
            data={"username": "isp", "to": ",".join(numbers or (ONE,)), "message": "x"},
            headers={"apiKey": "key", "Accept": "application/json"},
            timeout=10,
        )

    def recipients(self, *numbers: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.send(*numbers).json()["SMSMessageData"]["Recipients"]
        return found

    def report(self) -> dict[str, str]:
        """The next report."""
        return _form(self.receiver.next().body)

    @property
    def last(self) -> str:
        return str(self.far.messages[-1]["id"])


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace")))


@pytest.fixture
def sender(receiver: Receiver) -> Iterator[Sender]:
    far = AfricasTalking(apps={"isp": "key", "other": "key2"})
    far.start()
    yield Sender(far, receiver)
    far.stop()


def latency(sender: Sender) -> None:
    sender.far.faults.arm("latency", seconds=0.3)
    assert sender.send().elapsed.total_seconds() >= 0.3


def cut_before(sender: Sender) -> None:
    sender.far.faults.arm("cut_before")
    assert (is_cut(sender.send), sender.far.messages) == (True, [])


def cut_after(sender: Sender) -> None:
    sender.far.faults.arm("cut_after")
    assert (is_cut(sender.send), len(sender.far.messages)) == (True, 1)


def cut_midway(sender: Sender) -> None:
    sender.far.faults.arm("cut_midway")
    assert (is_cut(sender.send), len(sender.far.messages)) == (True, 1)


def timeout_before(sender: Sender) -> None:
    sender.far.faults.arm("timeout_before", seconds=0.2)
    assert (is_cut(sender.send), sender.far.messages) == (True, [])


def timeout_after(sender: Sender) -> None:
    sender.far.faults.arm("timeout_after", seconds=0.2)
    assert (is_cut(sender.send), len(sender.far.messages)) == (True, 1)


def http_refused(sender: Sender) -> None:
    sender.far.faults.arm("http_refused", status=401)
    assert (sender.send().status_code, sender.far.messages) == (401, [])


def http_error(sender: Sender) -> None:
    sender.far.faults.arm("http_error", is_accepted=True)
    assert (sender.send().status_code, len(sender.far.messages)) == (500, 1)


def html(sender: Sender) -> None:
    sender.far.faults.arm("html", is_accepted=False)
    assert (sender.send().text[:15], sender.far.messages) == ("<!DOCTYPE html>", [])


def truncated(sender: Sender) -> None:
    sender.far.faults.arm("truncated")
    assert sender.send().text.startswith('{"SMSMessageData"')
    assert len(sender.far.messages) == 1


def empty(sender: Sender) -> None:
    sender.far.faults.arm("empty")
    assert (sender.send().text, len(sender.far.messages)) == ("", 1)


def recipients_missing(sender: Sender) -> None:
    sender.far.faults.arm("recipients_missing")
    assert [one["number"] for one in sender.recipients(ONE, TWO)] == [ONE]
    assert len(sender.far.messages) == 2


def number_form(sender: Sender) -> None:
    for form, written in {"digits": "254712345678", "local": "0712345678", "spaced": "+254 712 345678"}.items():
        sender.far.faults.clear()
        sender.far.faults.arm("number_form", form=form)
        assert [one["number"] for one in sender.recipients()] == [written]


def report_status(sender: Sender) -> None:
    sender.far.faults.arm("report_status", status="Rejected")
    sender.send()
    report = sender.report()
    assert (report["status"], report["failureReason"]) == ("Rejected", "UserInBlackList")


def report_early(sender: Sender) -> None:
    sender.far.report_delay_s = 5
    sender.far.faults.arm("report_early")
    sender.send()
    assert [_form(one.body)["id"] for one in sender.receiver.heard] == [sender.last]


def report_late(sender: Sender) -> None:
    sender.far.faults.arm("report_late", seconds=0.3)
    sender.send()
    assert sender.receiver.heard == []
    assert sender.report()["id"] == sender.last


def report_never(sender: Sender) -> None:
    sender.far.faults.arm("report_never")
    sender.send()
    until(lambda: sender.far.faults.fired["report_never"])
    assert sender.far.reports.statuses == []


def reports_repeated(sender: Sender) -> None:
    sender.far.faults.arm("reports_repeated", copies=5)
    sender.send()
    until(lambda: len(sender.far.reports.statuses) == 5)
    assert len({one.body for one in sender.receiver.heard}) == 1


def reports_out_of_order(sender: Sender) -> None:
    sender.far.faults.arm("reports_out_of_order", seconds=0.1)
    sender.send()
    assert (sender.report()["status"], sender.report()["status"]) == ("Success", "Failed")


def report_forged(sender: Sender) -> None:
    sender.far.report_urls["other"] = f"{sender.receiver.base}/hooks/m/{'c' * 32}/report"
    for kind in ("unknown_id", "wrong_token", "other_account"):
        sender.far.faults.arm("report_forged", kind=kind)
    sender.send()
    heard = [sender.receiver.next() for _ in range(4)]
    own, other = f"/hooks/m/{'a' * 32}/report", f"/hooks/m/{'c' * 32}/report"
    assert [one.path in (own, other) for one in heard] == [True, False, True, True]
    assert [one.path for one in heard if one.path in (own, other)] == [own, other, own]
    assert [_form(one.body)["id"] == sender.last for one in heard] == [False, True, True, True]
    assert [_form(one.body)["status"] for one in heard] == ["Failed", "Failed", "Failed", "Success"]


def report_garbage(sender: Sender) -> None:
    for kind in ("empty", "no_id", "unknown_status", "binary"):
        sender.far.faults.arm("report_garbage", kind=kind)
    sender.send()
    forms = [_form(sender.receiver.next().body) for _ in range(5)]
    assert forms[0] == {}
    assert "id" not in forms[1]
    assert forms[2]["status"] == "Teleported"
    assert (forms[4]["id"], forms[4]["status"]) == (sender.last, "Success")


SMS = [
    latency, cut_before, cut_after, cut_midway, timeout_before, timeout_after,
    http_refused, http_error, html, truncated, empty, recipients_missing, number_form,
    report_status, report_early, report_late, report_never, reports_repeated,
    reports_out_of_order, report_forged, report_garbage,
]  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_africas_talking_comes_true_and_is_counted(sender: Sender, name: str) -> None:
    cases = {case.__name__: case for case in SMS}
    cases[name](sender)
    assert sender.far.faults.fired[name] >= 1


def test_the_control_port_tells_the_journal_and_reports_by_hand(sender: Sender) -> None:
    sender.far.report_url = ""
    sender.send()
    sender.far.report_url = f"{sender.receiver.base}/hooks/m/{'a' * 32}/report"
    handlers = control_handlers(sender.far)
    assert [(one["path"], one["is_accepted"]) for one in handlers["journal"]({})["journal"]] == [
        ("/version1/messaging", True)
    ]
    assert handlers["report_send"]({"id": sender.last, "status": "Expired", "times": 2}) == {"statuses": [200, 200]}
    assert sender.report()["status"] == "Expired"
    assert handlers["reports"]({})["reports"] == [(sender.last, "Expired", 200)] * 2
