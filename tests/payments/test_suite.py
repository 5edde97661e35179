"""The suite itself: a gateway of paper that can do everything passes it whole, and adapters with a fault do not."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import structlog

from ispbilling.kernel import http
from ispbilling.kernel.adapters import Facts, Proven
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from payments.providers.base import Attempt, Incoming, Outcome, PushSent, Result, StatementPage
from payments.providers.mpesa import Mpesa
from simulators.daraja import FAULTS, Daraja, Push, Shop
from simulators.daraja.callbacks import Callbacks
from simulators.daraja.till import Refusal
from simulators.faults import Fault, Faults, choice, wire_faults
from simulators.web import Answer, Asked
from tests.payments.conformance import PaymentProviderConformance, Receiver
from tests.payments.test_mpesa import TestMpesa as MpesaSuite

CALLS = ("token", "push", "query", "pull", "refund")
PAPER_FAULTS = {
    **FAULTS,
    **wire_faults(*CALLS),
    "callback_currency": Fault("A success tells another currency.", {"currency": choice("USD", "BDT")}),
}


def signature(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


class PaperCallbacks(Callbacks):
    """Signed, and with the currency in them."""

    def send(self, push: Push, body: bytes, times: int = 1) -> list[int]:
        told = json.loads(body)
        other = self.faults.one("callback_currency", phones=(push.phone,))
        told["Body"]["currency"] = other["currency"] if other else "KES"
        return super().send(push, json.dumps(told).encode(), times)

    def headers(self, push: Push, body: bytes) -> dict[str, str]:
        return {**super().headers(push, body), "X-Signature": signature("simulated-passkey", body)}


class PaperGateway(Daraja):
    """Daraja with signed callbacks, currencies and refunds. ``refunded``: by receipt, how much."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.faults = Faults(PAPER_FAULTS)
        self.callbacks = PaperCallbacks(self, self.pushes)
        self.refunded: dict[str, Decimal] = {}
        self.references: set[str] = set()

    def answer(self, asked: Asked, entry: dict[str, Any]) -> Answer:
        if asked.path != "/refund":
            return super().answer(asked, entry)
        return self.on_the_wire("refund", entry, (), lambda: self._refund(asked))

    def _refund(self, asked: Asked) -> Answer:
        try:
            _, body = self._signed("refund", asked)
            push = next(one for one in self.pushes.values() if one.receipt == body["receipt"])
            before = self.refunded.get(push.receipt, Decimal(0))
            if body["reference"] not in self.references:
                if before + Decimal(body["amount"]) > push.amount:
                    raise Refusal(400, "400.002.02", "more than was paid")
                self.references.add(body["reference"])
                self.refunded[push.receipt] = before + Decimal(body["amount"])
        except Refusal as refusal:
            return refusal.answer
        return Answer(200, json.dumps({"amount": body["amount"]}))


class Paper(Mpesa):
    """An adapter that can do everything the contract knows."""

    name = "paper"
    signs_callbacks = tells_currency = can_refund = can_refund_part = True
    facts = Facts(docs="Paper, read 2026-11", proven=Proven.SIMULATOR)

    def parse_event(self, incoming: Incoming) -> Result:
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        given = headers.get("x-signature", "")
        if not hmac.compare_digest(given, signature(self.settings.config["passkey"], incoming.body)):
            raise Refused("event.signature")
        result = super().parse_event(incoming)
        if result.amount is None:
            return result
        return replace(
            result, amount=Money(result.amount.amount, json.loads(incoming.body)["Body"].get("currency", "KES"))
        )

    def refund(self, attempt: Attempt, *, receipt: str, amount: Money, reference: str) -> Result:
        given = {**self._signature(), "receipt": receipt, "amount": str(amount.amount), "reference": reference}
        answer = self._call("/refund", given)
        if answer.status == 400:
            raise Refused("payment.refund")
        told = Money(Decimal(answer.json_object()["amount"]), amount.currency)
        return Result(Outcome.SUCCEEDED, attempt.gateway_reference, amount=told)


class TestPaper(PaymentProviderConformance):
    provider, simulator, is_registered = Paper, PaperGateway, False

    def make_simulator(self) -> PaperGateway:
        return PaperGateway(shops=[Shop(consumer_secret=self.secret)])

    config = MpesaSuite.config


class Keeps(Mpesa):
    def start(self, attempt: Attempt) -> PushSent:
        self.last = attempt
        return super().start(attempt)


class Decides(Mpesa):
    def query(self, attempt: Attempt) -> Result:
        result = super().query(attempt)
        return replace(result, outcome=Outcome.FAILED) if result.outcome is Outcome.PENDING else result


class Repeats(Mpesa):
    def start(self, attempt: Attempt) -> PushSent:
        try:
            return super().start(attempt)
        except Retryable:
            return super().start(attempt)


class KnowsTooMuch(Mpesa):
    def start(self, attempt: Attempt) -> PushSent:
        try:
            return super().start(attempt)
        except Retryable as error:
            raise Retryable(error.code, sent=False) from error


class TakesSilenceForNo(Mpesa):
    def start(self, attempt: Attempt) -> PushSent:
        try:
            return super().start(attempt)
        except Retryable as error:
            raise Refused("payment.failed") from error


class Talks(Mpesa):
    def _new_token(self) -> str:
        structlog.get_logger("payments").info("asking", pair=self.settings.config["consumer_secret"])
        return super()._new_token()


class Logs(Mpesa):
    def _post(self, path: str, body: Any, token: str) -> http.Answer:
        structlog.get_logger("payments").info("posting", bearer=token)
        return super()._post(path, body, token)


class Renames(Mpesa):
    def query(self, payment: Attempt) -> Result:
        return super().query(payment)


class TakesAnything(Mpesa):
    def query(self, attempt: Any) -> Result:
        return super().query(attempt)


class Trusts(Paper):
    def parse_event(self, incoming: Incoming) -> Result:
        headers = {"x-signature": signature(self.settings.config["passkey"], incoming.body)}
        return super().parse_event(replace(incoming, headers=headers))


class ReadsWhatWasAsked(Mpesa):
    def parse_event(self, incoming: Incoming) -> Result:
        result = super().parse_event(incoming)
        return replace(result, amount=Money(Decimal(1500), "KES")) if result.amount else result


class Swallows(Mpesa):
    def parse_event(self, incoming: Incoming) -> Result:
        try:
            return super().parse_event(incoming)
        except Refused:
            return Result(Outcome.FAILED, "?")


class GivesBackTwice(Paper):
    def refund(self, attempt: Attempt, *, receipt: str, amount: Money, reference: str) -> Result:
        return super().refund(attempt, receipt=receipt, amount=amount, reference=str(uuid4()))


class ReadsOnePage(Mpesa):
    def transactions_between(self, since: datetime, until: datetime, page: str) -> StatementPage:
        return replace(super().transactions_between(since, until, page), next_page="")


class TakesSilenceForNothing(Mpesa):
    def transactions_between(self, since: datetime, until: datetime, page: str) -> StatementPage:
        try:
            return super().transactions_between(since, until, page)
        except Retryable:
            return StatementPage(())


class SaysNothing(Mpesa):
    facts = Facts(docs="Daraja", proven=Proven.SIMULATOR)


class Boasts(Mpesa):
    can_refund = True


UNCLEAR = {"fault": "cut_after", "options": {}, "is_begun": True}
CASES: list[tuple[type[Mpesa], str, dict[str, Any]]] = [
    (Keeps, "test_nothing_is_kept_between_calls", {}),
    (Decides, "test_an_answer_we_do_not_know_decides_nothing", {"fault": "query_code", "options": {"code": "77"}}),
    (Decides, "test_while_the_payer_thinks_the_answer_is_pending", {"face": "4999", "status": 200}),
    (Repeats, "test_an_unclear_answer_to_the_beginning_leaves_everything_open", UNCLEAR),
    (KnowsTooMuch, "test_an_unclear_answer_to_the_beginning_leaves_everything_open", UNCLEAR),
    (TakesSilenceForNo, "test_an_unclear_answer_to_the_beginning_leaves_everything_open", UNCLEAR),
    (Talks, "test_a_secret_is_never_logged_nor_shown", {}),
    (Logs, "test_a_secret_is_never_logged_nor_shown", {}),
    (Renames, "test_signatures_are_those_of_the_contract", {}),
    (TakesAnything, "test_signatures_are_those_of_the_contract", {}),
    (Trusts, "test_a_forged_callback_with_the_right_reference_is_refused", {}),
    (ReadsWhatWasAsked, "test_another_amount_is_read_as_it_was_told", {"kind": "less", "told": "1.00"}),
    (Swallows, "test_a_success_without_money_is_garbage", {"kind": "zero"}),
    (Swallows, "test_no_spoilt_callback_breaks_the_reader_nor_gives_what_cannot_be_stored", {}),
    (GivesBackTwice, "test_a_whole_payment_is_given_back_once", {}),
    (ReadsOnePage, "test_every_page_is_read_and_nothing_told_twice_counts_twice", {}),
    (
        TakesSilenceForNothing,
        "test_a_statement_without_an_answer_is_no_empty_one",
        {"fault": "http_error", "options": {"status": 500}},
    ),
    (SaysNothing, "test_the_facts_are_complete", {}),
    (Boasts, "test_what_it_says_it_can_do_is_what_it_does", {}),
]


@pytest.mark.parametrize(("broken", "test", "given"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_suite_catches_an_adapter_with_a_fault(
    broken: type[Mpesa],
    test: str,
    given: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    captured = {"caplog": caplog, "capsys": capsys}
    base = TestPaper if issubclass(broken, Paper) else MpesaSuite
    with fixtures(base()) as known:
        call(base(), test, {**known, **captured, **given})  # the whole adapter passes …
    suite = type("Suite", (base,), {"provider": broken, "is_registered": False})()
    with fixtures(suite) as known, pytest.raises((AssertionError, pytest.fail.Exception, Refused, Retryable)):
        call(suite, test, {**known, **captured, **given})  # … and the broken one does not


@contextmanager
def fixtures(suite: PaymentProviderConformance) -> Iterator[dict[str, Any]]:
    """What pytest gives to a test of the suite."""
    far, receiver = suite.make_simulator(), Receiver()
    suite.behave(far, "approve")
    far.start()
    attempt = Attempt("PABCDEFGHJKM", Money(Decimal(1500), "KES"), "+254712345678", "Internet", receiver.url)
    try:
        yield {"far": far, "receiver": receiver, "adapter": suite.adapter_at(far), "attempt": attempt}
    finally:
        far.stop()
        receiver.stop()


def call(suite: PaymentProviderConformance, test: str, known: dict[str, Any]) -> None:
    method = getattr(suite, test)
    method(**{name: known[name] for name in inspect.signature(method).parameters})
