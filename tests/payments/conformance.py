"""What every payment provider must do, asked of it through a simulator. A subclass names adapter and simulator."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from payments.providers.base import AccountSettings, Attempt, Incoming, Outcome, PaymentProvider, PushSent

PHONE = "+254712345678"


class MemoryTokens:
    """A token store for one test."""

    def __init__(self) -> None:
        self.token: str | None = None

    def get(self) -> str | None:
        return self.token

    def put(self, token: str, lifetime_s: int) -> None:
        self.token = token

    def drop(self, token: str) -> None:
        if self.token == token:
            self.token = None


class Receiver:
    """Where callbacks arrive."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/p/abc/def"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self) -> Incoming:
        until(lambda: self.bodies)
        return Incoming(self.bodies.pop(0), {}, "127.0.0.1")


def until(look: Callable[[], Any], limit_s: float = 20) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


class PaymentProviderConformance:
    """The first half of the suite: pushes, queries, callbacks, and an outside that misbehaves."""

    provider: ClassVar[type[PaymentProvider]]
    simulator: ClassVar[Any]  # a class with url, start, stop
    secret: ClassVar[str] = "PLANTED-9f2c"
    currency: ClassVar[str] = "KES"

    def config(self, simulator: Any) -> dict[str, str]:
        """The settings of an account at this simulator; one value is ``secret``."""
        raise AssertionError("a subclass says so")

    def behave(self, simulator: Any, behaviour: str, delay_s: float = 0.05) -> None:
        """Make the payer's phone approve, refuse, time out …"""
        simulator.behaviours[None] = (behaviour, delay_s)

    @pytest.fixture
    def far(self) -> Iterator[Any]:
        simulator = self.make_simulator()
        simulator.start()
        yield simulator
        simulator.stop()

    def make_simulator(self) -> Any:
        return self.simulator()

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        receiver = Receiver()
        yield receiver
        receiver.server.shutdown()

    @pytest.fixture
    def adapter(self, far: Any) -> PaymentProvider:
        return self.adapter_at(far, far.url)

    def adapter_at(self, far: Any, url: str) -> PaymentProvider:
        config = self.provider.clean_config(self.config(far))
        return self.provider(AccountSettings(config, url, self.currency, MemoryTokens()))

    @pytest.fixture
    def attempt(self, receiver: Receiver) -> Attempt:
        return Attempt("PABCDEFGHJKM", Money(Decimal(1500), self.currency), PHONE, "Internet", receiver.url)

    def push(self, adapter: PaymentProvider, attempt: Attempt) -> Attempt:
        started = adapter.start(attempt)
        assert isinstance(started, PushSent)
        return replace(attempt, gateway_reference=started.gateway_reference)

    def test_a_payment_is_told_by_callback(self, far: Any, adapter: Any, attempt: Attempt, receiver: Receiver) -> None:
        begun = self.push(adapter, attempt)
        result = adapter.parse_event(receiver.next())
        assert result.outcome is Outcome.SUCCEEDED
        assert result.gateway_reference == begun.gateway_reference
        assert result.amount == Money(Decimal("1500.00"), self.currency)
        assert result.receipt

    def test_the_amount_is_an_exact_decimal(self, adapter: Any, attempt: Attempt, receiver: Receiver) -> None:
        self.push(adapter, attempt)
        amount = adapter.parse_event(receiver.next()).amount
        assert isinstance(amount.amount, Decimal)
        assert amount.amount == Decimal("1500")

    @pytest.mark.parametrize(
        ("behaviour", "outcome", "reason"),
        [
            ("refuse", Outcome.CANCELLED, "cancelled"),
            ("wrong_pin", Outcome.FAILED, "wrong_pin"),
            ("no_funds", Outcome.FAILED, "funds"),
            ("timeout", Outcome.EXPIRED, "no_answer"),
        ],
    )
    def test_every_bad_end_is_told_with_its_reason(
        self,
        far: Any,
        adapter: Any,
        attempt: Attempt,
        receiver: Receiver,
        behaviour: str,
        outcome: Outcome,
        reason: str,
    ) -> None:
        self.behave(far, behaviour)
        begun = self.push(adapter, attempt)
        result = adapter.parse_event(receiver.next())
        assert (result.outcome, result.reason) == (outcome, reason)
        assert adapter.query(begun).outcome is outcome

    def test_while_the_prompt_is_open_the_query_says_pending(self, far: Any, adapter: Any, attempt: Attempt) -> None:
        self.behave(far, "hold")
        assert adapter.query(self.push(adapter, attempt)).outcome is Outcome.PENDING

    def test_a_payment_whose_callback_was_lost_is_found_by_asking(
        self, far: Any, adapter: Any, attempt: Attempt
    ) -> None:
        self.behave(far, "lost_callback")
        begun = self.push(adapter, attempt)
        until(lambda: adapter.query(begun).outcome is Outcome.SUCCEEDED)

    def test_a_gateway_that_is_away_surely_got_nothing(self, far: Any, attempt: Attempt) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Retryable) as caught:
            self.adapter_at(far, url).start(attempt)
        assert caught.value.sent is False

    @pytest.mark.parametrize("body", ["<html>busy</html>", '{"Merch', "[]", "null", ""])
    def test_garbage_is_no_answer(self, far: Any, attempt: Attempt, body: str) -> None:
        with answering(body) as url, pytest.raises(Retryable):
            adapter = self.adapter_at(far, url)
            adapter.settings.tokens.put("token", 100)
            adapter.start(attempt)

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe", b'{"Body":{}}', b'{"Body":{"stkCallback":[]}}'])
    def test_a_callback_that_is_none_is_refused(self, adapter: Any, body: bytes) -> None:
        with pytest.raises(Refused, match=r"event\.garbage"):
            adapter.parse_event(Incoming(body, {}, "127.0.0.1"))

    def test_another_currency_is_refused(self, adapter: Any, attempt: Attempt) -> None:
        with pytest.raises(Refused):
            adapter.start(replace(attempt, amount=Money(Decimal(10), "USD")))

    def test_settings_are_complete_or_refused(self) -> None:
        with pytest.raises(Refused, match="missing"):
            self.provider.clean_config({})
        with pytest.raises(Refused, match="unknown"):
            self.provider.clean_config({"nonsense": "1"})

    def test_a_secret_is_never_logged_nor_shown(
        self,
        far: Any,
        adapter: Any,
        attempt: Attempt,
        receiver: Receiver,
        caplog: pytest.LogCaptureFixture,
        capsys: Any,
    ) -> None:
        caplog.set_level("DEBUG")
        begun = self.push(adapter, attempt)
        adapter.query(begun)
        with pytest.raises(Refused) as caught:
            adapter.start(replace(attempt, phone="+254712"))
        printed = capsys.readouterr()
        assert self.secret not in caplog.text + printed.out + printed.err + str(caught.value)


class answering:  # noqa: N801  reads as a verb
    """A server that answers everything with one body and 200."""

    def __init__(self, body: str) -> None:
        raw = body.encode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
