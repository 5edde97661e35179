"""Every fault of the simulated Daraja, seen with a client that is not ours. A fault without a case here fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from simulators.daraja import FAULTS, Daraja, Push, Shop
from simulators.daraja.till import NAIROBI
from tests.outside import Receiver, is_cut, until

ONE, TWO = "254712345678", "254722345678"
STAMP = "20260115083000"


class Client:
    """A merchant's program, as short as it can be written."""

    def __init__(self, far: Daraja, receiver: Receiver) -> None:
        self.far, self.receiver = far, receiver
        self.bearer = ""

    def token(self) -> requests.Response:
        shop = self.far.shops["174379"]
        answer = requests.get(
            f"{self.far.url}/oauth/v1/generate?grant_type=client_credentials",
            auth=(shop.consumer_key, shop.consumer_secret),
            timeout=10,
        )
        self.bearer = answer.json()["access_token"]
        return answer

    def push(self, phone: str = ONE, amount: int = 1500, **other: Any) -> requests.Response:
        body = {
            "TransactionType": "CustomerPayBillOnline",
            "Amount": str(amount),
            "PartyA": phone,
            "PartyB": "174379",
            "PhoneNumber": phone,
            "CallBackURL": self.receiver.url,
            "AccountReference": "PABCDEFGHJKM",
        }
        return self.call("/mpesa/stkpush/v1/processrequest", {**body, **other})

    def query(self, reference: str = "") -> requests.Response:
        return self.call(
            "/mpesa/stkpushquery/v1/query", {"CheckoutRequestID": reference or self.last.checkout_request_id}
        )

    def call(self, path: str, body: dict[str, Any]) -> requests.Response:
        if not self.bearer:
            self.token()
        shop = self.far.shops["174379"]
        secret = base64.b64encode(f"{shop.shortcode}{shop.passkey}{STAMP}".encode()).decode()
        signed = {"BusinessShortCode": shop.shortcode, "Password": secret, "Timestamp": STAMP, **body}
        headers = {"Authorization": f"Bearer {self.bearer}"}
        return requests.post(self.far.url + path, json=signed, headers=headers, timeout=10)

    def pull(self, what: str, **body: str) -> requests.Response:
        return self.call(f"/pulltransactions/v1/{what}", {"ShortCode": "174379", **body})

    def statement(self) -> list[Any]:
        """The rows of the last hour."""
        now = datetime.now(NAIROBI)
        start, end = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (now - timedelta(hours=1), now + timedelta(minutes=1)))
        rows: list[Any] = self.pull("query", StartDate=start, EndDate=end, OffSetValue="0").json()["Response"][0]
        return rows

    @property
    def last(self) -> Push:
        return list(self.far.pushes.values())[-1]

    def told(self) -> dict[str, Any]:
        """The next callback."""
        callback: dict[str, Any] = json.loads(self.receiver.next().body)["Body"]["stkCallback"]
        return callback

    def paid(self) -> dict[str, Any]:
        """The metadata of the next callback by name."""
        return {item["Name"]: item.get("Value") for item in self.told()["CallbackMetadata"]["Item"]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def client(receiver: Receiver) -> Iterator[Client]:
    far = Daraja(shops=[Shop(), Shop("600001", consumer_key="other")])
    far.behaviours[None] = ("approve", 0.02)
    far.start()
    yield Client(far, receiver)
    far.stop()


def latency(client: Client) -> None:
    client.far.faults.arm("latency", seconds=0.3, on="push")
    client.token()
    assert client.push().elapsed.total_seconds() >= 0.3


def cut_before(client: Client) -> None:
    client.far.faults.arm("cut_before", on="push")
    assert (is_cut(client.push), len(client.far.pushes)) == (True, 0)


def cut_after(client: Client) -> None:
    client.far.faults.arm("cut_after", on="push")
    assert (is_cut(client.push), len(client.far.pushes)) == (True, 1)


def cut_midway(client: Client) -> None:
    client.far.faults.arm("cut_midway", on="push")
    assert (is_cut(client.push), len(client.far.pushes)) == (True, 1)


def timeout_before(client: Client) -> None:
    client.far.faults.arm("timeout_before", on="push", seconds=0.2)
    assert (is_cut(client.push), len(client.far.pushes)) == (True, 0)


def timeout_after(client: Client) -> None:
    client.far.faults.arm("timeout_after", on="push", seconds=0.2)
    assert (is_cut(client.push), len(client.far.pushes)) == (True, 1)


def http_refused(client: Client) -> None:
    client.far.faults.arm("http_refused", on="push", status=429)
    assert (client.push().status_code, len(client.far.pushes)) == (429, 0)


def http_error(client: Client) -> None:
    client.far.faults.arm("http_error", on="push", status=503, times=1)
    assert (client.push().status_code, len(client.far.pushes)) == (503, 0)
    client.far.faults.arm("http_error", on="push", status=500, is_accepted=True)
    assert (client.push().status_code, len(client.far.pushes)) == (500, 1)


def html(client: Client) -> None:
    client.far.faults.arm("html", on="push")
    answer = client.push()
    assert (answer.status_code, answer.text[:15], len(client.far.pushes)) == (200, "<!DOCTYPE html>", 1)


def truncated(client: Client) -> None:
    client.far.faults.arm("truncated", on="push")
    answer = client.push()
    assert answer.text.startswith('{"MerchantRequestID"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def empty(client: Client) -> None:
    client.far.faults.arm("empty", on="push")
    assert (client.push().text, len(client.far.pushes)) == ("", 1)


def token_killed(client: Client) -> None:
    client.far.faults.arm("token_killed", on="push", times=1)
    assert client.push().json()["errorCode"] == "404.001.03"
    client.token()
    assert client.push().json()["ResponseCode"] == "0"


def token_dead(client: Client) -> None:
    client.push()
    client.far.faults.arm("token_dead", on="query", times=1)
    assert client.query().json()["errorCode"] == "404.001.03"
    client.token()
    assert client.query().status_code == 200


def error_code(client: Client) -> None:
    client.far.faults.arm("error_code", code="500.003.02")
    assert (client.push().json()["errorCode"], client.far.pushes) == ("500.003.02", {})


def receipt_repeated(client: Client) -> None:
    client.far.faults.arm("receipt_repeated")
    receipts = []
    for phone in (ONE, TWO):
        client.push(phone)
        receipts.append(client.paid()["MpesaReceiptNumber"])
    assert receipts[0] == receipts[1] == client.last.receipt


def query_in_flight(client: Client) -> None:
    client.far.behaviours[None] = ("hold", 0)
    client.push()
    assert client.query().json()["ResultCode"] == "4999"
    client.far.faults.arm("query_in_flight", face="500.001.1001", status=200)
    answer = client.query()
    assert (answer.status_code, answer.json()["errorCode"], answer.json()["errorMessage"]) == (200, "500.001.1001", "")


def query_no_answer(client: Client) -> None:
    client.far.faults.arm("query_no_answer", times=1)
    client.push()
    client.told()
    assert client.query().json()["errorCode"] == "500.001.1001"
    assert client.query().json()["ResultCode"] == "0"


def query_code(client: Client) -> None:
    client.far.faults.arm("query_code", code="SFC_NEW")
    client.push()
    client.told()
    assert client.query().json()["ResultCode"] == "SFC_NEW"


def callback_early(client: Client) -> None:
    client.far.faults.arm("callback_early")
    client.far.faults.arm("latency", on="push", seconds=0.01)
    answer = client.push()
    assert [json.loads(one.body)["Body"]["stkCallback"]["ResultCode"] for one in client.receiver.heard] == [0]
    assert client.told()["CheckoutRequestID"] == answer.json()["CheckoutRequestID"]


def callback_late(client: Client) -> None:
    client.far.faults.arm("callback_late", seconds=0.5)
    client.push()
    until(lambda: client.query().json()["ResultCode"] == "0")
    assert client.receiver.heard == []
    assert client.told()["ResultCode"] == 0


def callback_never(client: Client) -> None:
    client.far.faults.arm("callback_never")
    client.push()
    until(lambda: client.far.faults.fired["callback_never"])
    assert (client.last.state, client.last.callback_statuses, client.receiver.heard) == ("0", [], [])


def callback_twice(client: Client) -> None:
    client.far.faults.arm("callback_twice")
    client.push()
    assert client.told() == client.told()
    until(lambda: client.last.callback_statuses == [200, 200])


def callback_storm(client: Client) -> None:
    client.far.faults.arm("callback_storm")
    client.push()
    until(lambda: client.last.callback_statuses == [200] * 20)
    assert len({one.body for one in client.receiver.heard}) == 1


def callback_forged(client: Client) -> None:
    client.far.behaviours[None] = ("hold", 0)
    for kind in ("wrong_token", "no_token", "wrong_account", "other_reference", "other_shortcode"):
        client.far.faults.arm("callback_forged", kind=kind, times=1)
    client.far.faults.arm("callback_forged", url=f"{client.receiver.base}/alias")
    client.push()
    heard = [client.receiver.next() for _ in range(6)]
    good = client.receiver.path
    account = good.rpartition("/")[0]
    assert heard[0].path.startswith(f"{account}/")
    assert len(heard[0].path) == len(good)
    assert heard[0].path != good
    assert heard[1].path == account
    assert heard[2].path.endswith(good.rpartition("/")[2])
    assert heard[2].path != good
    assert [one.path for one in heard[3:]] == [good, good, "/alias"]
    bodies = [json.loads(one.body)["Body"]["stkCallback"] for one in heard]
    assert {one["ResultCode"] for one in bodies} == {0}
    own = client.last.checkout_request_id
    assert [one["CheckoutRequestID"] == own for one in bodies] == [True, True, True, False, False, True]
    assert heard[4].headers["businessshortcode"] == "600000"
    assert client.last.state == "open"


def callback_amount(client: Client) -> None:
    wanted = {"less": 1.0, "more": 1600.0, "zero": 0.0, "negative": -1500.0, "noise": 1499.9999}
    for kind, amount in wanted.items():
        client.far.faults.clear()
        client.far.faults.arm("callback_amount", kind=kind)
        client.push()
        assert client.paid()["Amount"] == amount


def callback_of_another(client: Client) -> None:
    client.push(TWO, 700)
    first = client.paid()
    reference = client.last.checkout_request_id
    client.far.faults.arm("callback_of_another", times=1)
    client.push()
    assert client.paid() == {
        **first,
        "Amount": 1500.0,
        "PhoneNumber": int(ONE),
        "TransactionDate": int(client.last.ended_at),
    }
    client.far.faults.arm("callback_of_another", what="whole")
    client.push()
    assert client.told()["CheckoutRequestID"] != client.last.checkout_request_id
    assert reference in client.far.pushes


def callback_garbage(client: Client) -> None:
    sizes = {"truncated": range(1, 500), "empty": [0], "html": range(1, 100), "huge": [70_011], "binary": [256]}
    for kind, size in sizes.items():
        client.far.faults.clear()
        client.far.faults.arm("callback_garbage", kind=kind)
        client.push()
        assert len(client.receiver.next().body) in size
        assert client.told()["ResultCode"] == 0


def success_after_failure(client: Client) -> None:
    client.far.faults.arm("success_after_failure", seconds=0.1)
    client.push()
    assert (client.told()["ResultCode"], client.told()["ResultCode"]) == (1032, 0)
    assert client.query().json()["ResultCode"] == "0"


def failure_after_success(client: Client) -> None:
    client.far.faults.arm("failure_after_success", seconds=0.1)
    client.push()
    assert (client.told()["ResultCode"], client.told()["ResultCode"]) == (0, 1032)
    assert client.query().json()["ResultCode"] == "0"


def pull_late(client: Client) -> None:
    client.far.faults.arm("pull_late", seconds=0.5)
    client.push()
    client.paid()
    client.pull("register", RequestType="Pull", NominatedNumber="254722000000", CallBackURL="http://127.0.0.1/x")
    assert client.statement() == []
    until(client.statement)


def pull_repeated(client: Client) -> None:
    client.pull("register", RequestType="Pull", NominatedNumber="254722000000", CallBackURL="http://127.0.0.1/x")
    client.push()
    client.paid()
    client.far.faults.arm("pull_repeated")
    first, second = client.statement()
    assert first == second
    assert first["billreference"] == "PABCDEFGHJKM"


def pull_garbage(client: Client) -> None:
    client.pull("register", RequestType="Pull", NominatedNumber="254722000000", CallBackURL="http://127.0.0.1/x")
    client.push()
    client.paid()
    client.far.faults.arm("pull_garbage", kind="not_an_object")
    assert client.statement()[0] == "row"


DARAJA = [
    latency, cut_before, cut_after, cut_midway, timeout_before, timeout_after, http_refused, http_error, html,
    truncated, empty, token_killed, token_dead, error_code, receipt_repeated, query_in_flight, query_no_answer,
    query_code, callback_early, callback_late, callback_never, callback_twice, callback_storm, callback_forged,
    callback_amount, callback_of_another, callback_garbage, success_after_failure, failure_after_success, pull_late,
    pull_repeated, pull_garbage,
]  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_daraja_comes_true_and_is_counted(client: Client, name: str) -> None:
    cases = {case.__name__: case for case in DARAJA}
    cases[name](client)
    assert client.far.faults.fired[name] >= 1


def test_faults_come_together(client: Client) -> None:
    for name, options in {
        "latency": {"on": "push", "seconds": 0.1},
        "token_killed": {"on": "push", "times": 1},
        "callback_early": {},
        "callback_storm": {"copies": 3},
        "callback_amount": {"kind": "less"},
        "truncated": {"on": "push"},
    }.items():
        client.far.faults.arm(name, **options)
    client.push()
    client.token()
    client.push()
    until(lambda: client.last.callback_statuses == [200] * 3)
    assert [client.paid()["Amount"] for _ in range(3)] == [1.0] * 3
    entry = [one for one in client.far.journal if "processrequest" in one["path"]][-1]
    assert entry["faults"] == ["latency", "callback_early", "callback_amount", "callback_storm", "truncated"]
    assert (entry["status"], entry["is_accepted"]) == (200, True)
    assert client.far.faults.fired == {
        "latency": 2, "token_killed": 1, "callback_early": 1, "callback_storm": 1, "callback_amount": 1, "truncated": 1,
    }  # fmt: skip


def test_a_callback_answered_500_is_not_sent_again(client: Client) -> None:
    client.receiver.status = 500
    client.push()
    until(lambda: client.last.callback_statuses)
    assert (client.last.callback_statuses, len(client.receiver.heard)) == ([500], 1)


def test_a_fault_keeps_to_its_phone_and_to_its_number_of_times(client: Client) -> None:
    client.far.faults.arm("error_code", phone=TWO, times=1)
    answers = [client.push(phone).json() for phone in (ONE, TWO, TWO)]
    assert ["errorCode" in one for one in answers] == [False, True, False]
    assert client.far.faults.fired["error_code"] == 1


def test_a_cleared_fault_happens_no_more_and_stays_counted(client: Client) -> None:
    client.far.faults.arm("error_code")
    client.push()
    client.far.faults.clear("error_code")
    assert client.push().json()["ResponseCode"] == "0"
    assert client.far.faults.state() == {"armed": [], "fired": {"error_code": 1}}
