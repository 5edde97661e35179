"""Daraja's callbacks: delivered once and never again, or as the armed faults have it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from simulators.daraja.till import PAID, Push
from simulators.web import WebSimulator, post

CANCELLED = ("1032", "Request cancelled by user")


def callback_body(push: Push, *, amount: float | None = None, end: tuple[str, str] | None = None) -> bytes:
    """The callback of a prompt that has ended; ``amount`` and ``end`` (code, text) tell something else."""
    code, text = end or (push.state, push.text)
    callback: dict[str, Any] = {
        "MerchantRequestID": push.merchant_request_id,
        "CheckoutRequestID": push.checkout_request_id,
        "ResultCode": int(code),
        "ResultDesc": text,
    }
    if code == PAID:
        callback["CallbackMetadata"] = {
            "Item": [
                {"Name": "Amount", "Value": float(push.amount) if amount is None else amount},
                {"Name": "MpesaReceiptNumber", "Value": push.receipt},
                {"Name": "Balance"},
                {"Name": "TransactionDate", "Value": int(push.ended_at)},
                {"Name": "PhoneNumber", "Value": int(push.phone)},
            ]
        }
    return json.dumps({"Body": {"stkCallback": callback}}).encode()


class Callbacks:
    """Sends for one simulator, whose ``pushes`` it reads to tell one payment of another."""

    def __init__(self, simulator: WebSimulator, pushes: Mapping[str, Push]) -> None:
        self.simulator = simulator
        self.faults = simulator.faults
        self.pushes = pushes
        self._senders = ThreadPoolExecutor(max_workers=64)

    def stop(self) -> None:
        self._senders.shutdown(wait=False, cancel_futures=True)

    def send(self, push: Push, body: bytes, times: int = 1) -> list[int]:
        """``times`` the same callback, at the same moment. Returns the statuses when all are answered."""
        headers = self.headers(push, body)
        sent = [self._senders.submit(post, push.callback_url, body, headers) for _ in range(times)]
        statuses = [one.result() for one in sent]
        push.callback_statuses += statuses
        return statuses

    def headers(self, push: Push, body: bytes) -> dict[str, str]:
        """Daraja signs nothing; it names the shop."""
        return {"Content-Type": "application/json", "BusinessShortCode": push.shortcode}

    def deliver(self, push: Push) -> None:
        """Tell of the end of a prompt. What is told is fixed now, also when it comes late."""
        if self.faults.happens("callback_never", phones=(push.phone,)):
            return
        told = (push, self._told(push), push.state == PAID)
        late = self.faults.all("callback_late", phones=(push.phone,))
        if late:
            self.simulator.later(sum(one["seconds"] for one in late), self._tell, *told)
        else:
            self._tell(*told)

    def _tell(self, push: Push, body: bytes, was_paid: bool) -> None:
        phones = (push.phone,)
        self.forge(push, "ended")
        for garbage in self.faults.all("callback_garbage", phones=phones):
            push.forged_statuses.append(post(push.callback_url, _garbage(garbage["kind"], body), {}))
        storm = self.faults.one("callback_storm", phones=phones)
        self.send(push, body, storm["copies"] if storm else 1)
        for again in self.faults.all("callback_twice", phones=phones):
            self.simulator.later(again["seconds"], self.send, push, body)
        if was_paid and (turned := self.faults.one("failure_after_success", phones=phones)):
            self.simulator.later(turned["seconds"], self.send, push, callback_body(push, end=CANCELLED))

    def _told(self, push: Push) -> bytes:
        if push.state != PAID:
            return callback_body(push)
        amount = None
        if wrong := self.faults.one("callback_amount", phones=(push.phone,)):
            amount = {
                "less": 1.0 if push.amount > 1 else 0.5,
                "more": push.amount + 100.0,
                "zero": 0.0,
                "negative": -float(push.amount),
                "noise": push.amount - 0.0001,
            }[wrong["kind"]]
        told = push
        if other := self.faults.one("callback_of_another", phones=(push.phone,)):
            another = self._another(push)
            told = another if other["what"] == "whole" else replace(push, receipt=another.receipt)
        return callback_body(told, amount=amount)

    def _another(self, push: Push) -> Push:
        """The last other payment that was paid; a made-up one where there is none."""
        paid = [one for one in self.pushes.values() if one.state == PAID and one is not push]
        made_up = replace(push, checkout_request_id=f"ws_CO_{token_hex(8)}", receipt=f"T{token_hex(5).upper()}")
        return paid[-1] if paid else made_up

    def forge(self, push: Push, moment: str) -> None:
        """Post the made-up successes that are armed for this moment."""
        for forged in self.faults.all("callback_forged", phones=(push.phone,), on=moment):
            push.forged_statuses.append(self._forged(push, forged["kind"], forged["url"]))

    def _forged(self, push: Push, kind: str, url: str) -> int:
        ended_at = push.ended_at or "20260115083042"
        lie = replace(push, state=PAID, text="ok", receipt=f"F{token_hex(5).upper()}", ended_at=ended_at)
        if url:
            return post(url, callback_body(lie), {"Content-Type": "application/json"})
        if kind in ("other_reference", "other_shortcode"):
            lie.checkout_request_id = f"ws_CO_{token_hex(8)}"
        if kind == "other_shortcode":
            others = [one for one in self.pushes.values() if one.shortcode != push.shortcode]
            lie.shortcode = others[-1].shortcode if others else "600000"
            lie.checkout_request_id = others[-1].checkout_request_id if others else lie.checkout_request_id
        headers = {"Content-Type": "application/json", "BusinessShortCode": lie.shortcode}
        return post(_with_path(push.callback_url, kind), callback_body(lie), headers)


def _with_path(url: str, kind: str) -> str:
    """``…/account token/attempt token`` as somebody would write it who does not know both."""
    parts = urlsplit(url)
    words = parts.path.split("/")
    if kind == "no_token":
        words.pop()
    elif kind in ("wrong_token", "wrong_account"):
        place = -1 if kind == "wrong_token" else -2
        words[place] = token_hex(16)[: len(words[place]) or 32]
    return urlunsplit(parts._replace(path="/".join(words)))


def _garbage(kind: str, body: bytes) -> bytes:
    return {
        "truncated": body[: len(body) // 2],
        "empty": b"",
        "html": b"<html><body>502 Bad Gateway</body></html>",
        "huge": b'{"Body":"' + b"x" * 70_000 + b'"}',
        "binary": bytes(range(256)),
    }[kind]
