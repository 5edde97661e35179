"""Delivery reports of Africa's Talking: one per message, unsigned, or as the armed faults have it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

from simulators.africastalking.faults import REASONS
from simulators.web import WebSimulator, post

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Reports:
    """Sends for one simulator. ``urls`` is application → where its reports go."""

    def __init__(self, simulator: WebSimulator, urls: Mapping[str | None, str]) -> None:
        self.simulator = simulator
        self.faults = simulator.faults
        self.urls = urls
        self.statuses: list[tuple[str, str, int]] = []  # message id, what was told, HTTP status; forged ones too
        self._senders = ThreadPoolExecutor(max_workers=64)

    def stop(self) -> None:
        self._senders.shutdown(wait=False, cancel_futures=True)

    def url_of(self, username: str) -> str:
        return self.urls.get(username) or self.urls.get(None, "")

    def send(self, message: Mapping[str, Any], status: str, times: int = 1) -> list[int]:
        """``times`` the same report, at the same moment. Returns the HTTP statuses when all are answered."""
        form = {
            "id": message["id"],
            "status": status,
            "phoneNumber": message["to"],
            "networkCode": "63902",
            **({"failureReason": REASONS[status]} if status in REASONS else {}),
        }
        url, body = self.url_of(message["username"]), urlencode(form).encode()
        sent = [self._senders.submit(post, url, body, _FORM) for _ in range(times)]
        statuses = [one.result() for one in sent]
        self.statuses += [(message["id"], status, code) for code in statuses]
        return statuses

    def deliver(self, message: Mapping[str, Any], usual: str) -> None:
        """Report on a message; ``usual`` is what is told unless a fault says otherwise."""
        phones = (message["to"],)
        for forged in self.faults.all("report_forged", phones=phones):
            self._forge(message, forged)
        for garbage in self.faults.all("report_garbage", phones=phones):
            self._garble(message, garbage["kind"])
        if self.faults.happens("report_never", phones=phones):
            return
        turned = self.faults.one("reports_out_of_order", phones=phones)
        other = None if turned else self.faults.one("report_status", phones=phones)
        repeated = self.faults.one("reports_repeated", phones=phones)
        status = "Success" if turned else other["status"] if other else usual
        self.send(message, status, repeated["copies"] if repeated else 1)
        if turned:
            self.simulator.later(turned["seconds"], self.send, message, turned["then"])

    def _forge(self, message: Mapping[str, Any], forged: Mapping[str, str]) -> None:
        kind, url = forged["kind"], forged["url"] or self.url_of(message["username"])
        form = {"id": message["id"], "status": forged["status"], "phoneNumber": message["to"], "networkCode": "99999"}
        if kind == "unknown_id":
            form["id"] = f"ATXid_{uuid4().hex}"
        elif not forged["url"]:
            others = [url for name, url in self.urls.items() if name not in (None, message["username"])]
            url = others[0] if kind == "other_account" and others else _with_token(url)
        code = post(url, urlencode(form).encode(), _FORM)
        self.statuses.append((form["id"], f"forged {forged['status']}", code))

    def _garble(self, message: Mapping[str, Any], kind: str) -> None:
        body = {
            "empty": b"",
            "no_id": b"status=Failed&phoneNumber=%2B254700000000",
            "unknown_status": urlencode({"id": message["id"], "status": "Teleported"}).encode(),
            "binary": bytes(range(256)),
        }[kind]
        self.statuses.append((message["id"], f"garbage {kind}", post(self.url_of(message["username"]), body, _FORM)))


def _with_token(url: str) -> str:
    """The address with a made-up word where the longest one of its path, the token, stood."""
    parts = urlsplit(url)
    words = parts.path.split("/")
    place = max(range(len(words)), key=lambda number: len(words[number]))
    words[place] = token_hex(16)[: len(words[place]) or 32]
    return urlunsplit(parts._replace(path="/".join(words)))
