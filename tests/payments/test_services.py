"""Payments through their services, with Daraja at the other end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from billing.models import Receipt
from ispbilling.kernel import clock, events, outbox, tenancy
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.failpoints import FailpointHit
from ispbilling.kernel.models import Event
from ispbilling.kernel.money import Money
from payments.models import Payment, PaymentAttempt, PaymentEvent
from payments.services import attempts_ask, money_receive, payment_start
from payments.services.callbacks import ANSWERED_WITHIN
from payments.services.queries import next_query
from payments.services.start import _started
from simulators.daraja import Daraja, Shop
from tests import factories
from tests.payments.conformance import until

pytestmark = pytest.mark.usefixtures("committed")


class Place:
    """A tenant with M-Pesa at the simulator; its callbacks are delivered by hand."""

    def __init__(self, far: Daraja) -> None:
        self.far = far
        self.tenant = factories.tenant_make()
        config = {
            "consumer_key": "simulated-key",
            "consumer_secret": "PLANTED-9f2c",
            "passkey": "simulated-passkey",
            "business_shortcode": "174379",
        }
        with self.inside():
            self.account = factories.account_make("mpesa", config=config, base_url=far.url)
            self.customer = factories.customer_make(phones=["0712345678"])

    def inside(self) -> Any:
        return _Inside(self.tenant.id)

    def start(self, key: str = "", amount: str = "1500", purpose: Any = None) -> Payment:
        with tenancy.tenant_context(self.tenant.id):
            return payment_start(
                account_id=self.account.id,
                customer_id=self.customer.id,
                amount=Money(Decimal(amount), "KES"),
                purpose="topup",
                purpose_id=purpose or uuid4(),
                phone="+254712345678",
                idempotency_key=key or str(uuid4()),
                description="Internet",
                actor=factories.ACTOR,
            )

    def push(self) -> Any:
        return next(iter(self.far.pushes.values()))

    def deliver(self, body: bytes = b"", path: str = "") -> int:
        """Post the callback to its path, then let the drainer work."""
        push = self.push()
        target = path or push.callback_url.partition("/hooks/")[2]
        client = Client(HTTP_HOST="localhost")
        answer = client.post(
            path if path.startswith("/") else f"/hooks/{target}",
            data=body or self.far.callback_body(push),
            content_type="application/json",
        )
        self.drain()
        return answer.status_code

    def drain(self) -> None:
        while sum(outbox.drain(shard) for shard in range(events.SHARDS)):
            pass

    def end(self, behaviour: str = "lost_callback") -> None:
        self.far.end(self.push(), behaviour)

    def fresh(self, payment: Payment) -> Payment:
        with self.inside():
            return Payment.objects.get(id=payment.id)

    def outcomes(self) -> list[str]:
        with self.inside():
            return list(PaymentEvent.objects.order_by("received_at", "id").values_list("outcome", flat=True))

    def make_due(self, age: timedelta = timedelta(0)) -> None:
        with self.inside():
            now = clock.machine_now()
            asked = PaymentAttempt.objects.exclude(next_query_at=None)
            asked.update(next_query_at=now, started_at=now - age)

    def ask(self) -> int:
        with tenancy.tenant_context(self.tenant.id):
            return attempts_ask()


class _Inside:
    def __init__(self, tenant: Any) -> None:
        self.parts = [tenancy.tenant_context(tenant), transaction.atomic()]

    def __enter__(self) -> None:
        for part in self.parts:
            part.__enter__()

    def __exit__(self, *error: Any) -> None:
        for part in reversed(self.parts):
            part.__exit__(*error)


@pytest.fixture
def far() -> Iterator[Daraja]:
    far = Daraja(shops=[Shop(consumer_secret="PLANTED-9f2c")])
    far.behaviours[None] = ("hold", 0)
    far.start()
    yield far
    far.stop()


@pytest.fixture
def place(far: Daraja) -> Place:
    return Place(far)


def test_a_push_leaves_the_payment_pending_with_the_gateways_reference(place: Place) -> None:
    payment = place.start()
    with place.inside():
        attempt = PaymentAttempt.objects.get()
    assert payment.state == Payment.State.PENDING
    assert attempt.gateway_reference == place.push().checkout_request_id
    assert place.push().reference == attempt.reference


def test_the_callback_settles_and_the_book_has_it(place: Place) -> None:
    payment = place.start()
    place.end()
    assert place.deliver() == 200
    assert place.fresh(payment).state == Payment.State.SUCCEEDED
    assert place.fresh(payment).receipt == place.push().receipt
    with place.inside():
        assert Receipt.objects.get().amount == Decimal("1500.000")


def test_the_same_callback_again_changes_nothing(place: Place) -> None:
    place.start()
    place.end()
    place.deliver()
    place.deliver()
    assert place.outcomes() == ["settled", "repeated"]
    with place.inside():
        assert Receipt.objects.count() == 1


def test_a_callback_is_stored_before_anybody_believes_it(place: Place) -> None:
    place.start()
    place.deliver(b"garbage")
    assert place.outcomes() == ["event.garbage"]
    with place.inside():
        assert bytes(PaymentEvent.objects.get().body) == b"garbage"


def test_another_payments_reference_in_the_body_is_noticed(place: Place) -> None:
    payment = place.start()
    place.end()
    body = json.loads(place.far.callback_body(place.push()))
    body["Body"]["stkCallback"]["CheckoutRequestID"] = "ws_CO_somebody_elses"
    place.deliver(json.dumps(body).encode())
    assert place.outcomes() == ["reference_mismatch"]
    assert place.fresh(payment).state == Payment.State.PENDING


def test_anothers_callback_at_an_attempt_whose_answer_was_lost_changes_nothing(place: Place) -> None:
    place.start()
    place.end()
    place.far.faults.arm("cut_after", on="push")
    unanswered = place.start()
    path = list(place.far.pushes.values())[1].callback_url.partition("/hooks/")[2]
    place.deliver(place.far.callback_body(place.push()), path=path)
    assert place.outcomes() == ["reference_mismatch"]
    assert place.fresh(unanswered).state == Payment.State.PENDING


def test_a_wrong_path_token_is_not_found_and_nothing_is_stored(place: Place) -> None:
    place.start()
    assert place.deliver(b"{}", path="/hooks/p/00000000000000000000000000000000/x") == 404
    assert place.outcomes() == []


def test_the_accounts_token_with_a_wrong_attempt_books_nothing(place: Place) -> None:
    payment = place.start()
    place.end()
    with place.inside():
        token = place.account.token
    assert place.deliver(path=f"/hooks/p/{token}/00000000000000000000000000000000") == 200
    assert place.outcomes() == ["unmatched"]
    assert place.fresh(payment).state == Payment.State.PENDING


def test_a_huge_body_is_refused(place: Place) -> None:
    place.start()
    assert place.deliver(b"x" * 70_000) == 413


def test_the_alias_is_believed_only_after_asking(place: Place) -> None:
    payment = place.start()
    forged = json.loads(_success(place))
    place.deliver(json.dumps(forged).encode(), path="/api/webhooks/mpesa-callback")
    assert place.outcomes() == ["to_be_confirmed"]
    place.ask()
    assert place.fresh(payment).state == Payment.State.PENDING  # the prompt is still open: it was a lie
    place.end()
    place.make_due()
    place.ask()
    assert place.fresh(payment).state == Payment.State.SUCCEEDED


def _success(place: Place) -> bytes:
    push = place.push()
    items = [{"Name": "Amount", "Value": 1500}, {"Name": "MpesaReceiptNumber", "Value": "TAF0000009"}]
    callback = {"CheckoutRequestID": push.checkout_request_id, "ResultCode": 0, "CallbackMetadata": {"Item": items}}
    return json.dumps({"Body": {"stkCallback": callback}}).encode()


def test_a_lost_callback_is_found_by_asking_and_its_receipt_is_learned_later(place: Place) -> None:
    payment = place.start()
    place.end()
    place.make_due()
    assert place.ask() == 1
    assert (place.fresh(payment).state, place.fresh(payment).receipt) == ("succeeded", None)
    place.drain()
    place.deliver()
    assert place.outcomes() == ["receipt_learned"]
    with place.inside():
        assert Receipt.objects.get().number == place.push().receipt


def test_nobody_asks_twice_at_once(place: Place) -> None:
    place.start()
    place.make_due()
    assert (place.ask(), place.ask()) == (1, 0)


def test_our_timer_shows_expired_and_a_late_success_still_wins(place: Place) -> None:
    payment = place.start()
    place.make_due(timedelta(minutes=6))
    place.ask()
    assert place.fresh(payment).state == Payment.State.EXPIRED
    place.end()
    place.deliver()
    assert (place.fresh(payment).state, place.fresh(payment).is_late) == ("succeeded", True)


def test_bad_news_after_success_is_only_noted(place: Place) -> None:
    payment = place.start()
    place.end()
    place.deliver()
    body = json.loads(place.far.callback_body(place.push()))
    body["Body"]["stkCallback"] |= {"ResultCode": 1032}
    place.deliver(json.dumps(body).encode())
    assert place.outcomes() == ["settled", "ignored"]
    assert place.fresh(payment).state == Payment.State.SUCCEEDED


def test_less_than_asked_is_booked_as_what_came(place: Place) -> None:
    place.start()
    place.end()
    body = json.loads(place.far.callback_body(place.push()))
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][0]["Value"] = 1
    place.deliver(json.dumps(body).encode())
    with place.inside():
        assert Receipt.objects.get().amount == Decimal("1.000")


def test_the_same_key_gives_the_same_payment_and_one_push(place: Place) -> None:
    assert place.start(key="k").id == place.start(key="k").id
    assert len(place.far.pushes) == 1


def test_a_second_tap_gives_the_payment_under_way(place: Place) -> None:
    purpose = uuid4()
    assert place.start(purpose=purpose).id == place.start(purpose=purpose).id
    assert len(place.far.pushes) == 1


def test_a_refused_push_fails_with_its_reason(place: Place) -> None:
    place.start()
    second = place.start(amount="1600")
    assert (second.state, second.reason) == (Payment.State.FAILED, "busy")


def test_a_gateway_that_is_away_fails_at_once_since_nothing_was_asked(place: Place) -> None:
    place.far.stop()
    payment = place.start()
    assert (payment.state, payment.reason) == (Payment.State.FAILED, "away")


def test_a_gateway_is_not_called_inside_a_transaction(place: Place) -> None:
    with place.inside(), pytest.raises(transaction.TransactionManagementError):
        place.start()


def test_an_account_of_nobody_is_not_found(place: Place) -> None:
    place.account.id = uuid4()
    with pytest.raises(NotFound):
        place.start()


def test_nothing_to_pay_is_refused(place: Place) -> None:
    with pytest.raises(DomainError):
        place.start(amount="0")


def test_the_planted_secret_is_nowhere_in_the_tables(place: Place) -> None:
    from django.conf import settings

    from tests.servers import admin

    place.start()
    with admin(settings.DATABASES["default"]["NAME"]) as server:
        names = [row[0] for row in server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for name in names:
            found = server.execute(f"SELECT count(*) FROM \"{name}\" t WHERE t::text LIKE '%PLANTED%'").fetchone()
            assert found == (0,), name


def test_cash_is_booked_for_the_customer_it_names(place: Place) -> None:
    with place.inside():
        cash = factories.account_make("cash")
        amount = Money(Decimal(700), "KES")
        given: dict[str, Any] = {"account_id": cash.id, "amount": amount, "actor": factories.ACTOR}
        first = money_receive(**given, receipt="R1", payer_text=f" #{place.customer.code.lower()} ")
        again = money_receive(**given, receipt="R1", payer_text="whoever")
        unknown = money_receive(**given, receipt="R2", payer_text="nobody")
    assert (first.customer_id, again.id, unknown.customer_id) == (place.customer.id, first.id, None)
    place.drain()
    with place.inside():
        assert Receipt.objects.filter(customer=None).count() == 1


def dies_after_the_push(place: Place, settings: Any, folder: Path) -> None:
    """The gateway was asked, and its answer is not written."""
    settings.FAILPOINTS_DIR = str(folder)
    (folder / "payments.start.after_call").write_text("raise")
    with pytest.raises(FailpointHit):
        place.start()
    settings.FAILPOINTS_DIR = None


def test_a_death_after_the_push_is_healed_by_asking(place: Place, settings: Any, tmp_path: Any) -> None:
    """The gateway was asked and the answer never written: its callback's path still tells whose it is."""
    dies_after_the_push(place, settings, tmp_path)
    place.end()
    place.make_due(ANSWERED_WITHIN)
    place.deliver()
    with place.inside():
        assert Payment.objects.get().state == Payment.State.SUCCEEDED


def test_a_callback_that_overtakes_the_answer_is_judged_by_it(place: Place, settings: Any, tmp_path: Any) -> None:
    """Somebody who learnt the attempt's address says paid while our call is under way."""
    dies_after_the_push(place, settings, tmp_path)
    told = json.loads(
        place.far.callback_body(replace(place.push(), state="0", receipt="FORGED0001", ended_at="20261130083042"))
    )
    told["Body"]["stkCallback"]["CheckoutRequestID"] = "ws_CO_somebody"
    place.deliver(json.dumps(told).encode())
    with place.inside():
        payment, attempt = Payment.objects.get(), PaymentAttempt.objects.get()
    assert (payment.state, attempt.gateway_reference) == (Payment.State.INITIATED, None)
    with tenancy.tenant_context(place.tenant.id):
        _started(payment.id, attempt.id, place.push().checkout_request_id, "", None)  # type: ignore[arg-type]
    with place.inside():
        Event.objects.update(not_before=clock.machine_now())
    place.drain()
    assert (place.fresh(payment).state, place.outcomes()) == (Payment.State.PENDING, ["reference_mismatch"])
    place.end()
    place.deliver()
    assert place.fresh(payment).receipt == place.push().receipt


def test_the_times_of_asking() -> None:
    now = clock.machine_now()
    after = lambda age: next_query("mpesa", now - timedelta(seconds=age), now)  # noqa: E731
    assert after(0) == now + timedelta(seconds=20)
    assert after(20) == now + timedelta(seconds=30)
    assert after(300) == now + timedelta(minutes=15)
    assert after(7200) == now + timedelta(hours=1)
    assert after(90_000) == now + timedelta(hours=1)
    assert after(31 * 86_400) is None


def test_a_gateway_that_is_away_for_longer_than_a_day_is_asked_until_it_answers(place: Place) -> None:
    """Its callback is lost, and every question of the first day and more: the money is booked none the less."""
    payment = place.start()
    place.end()
    place.far.faults.arm("http_error", on="query", times=3)
    for days in (1, 2, 3):
        place.make_due(timedelta(days=days))
        assert place.ask() == 1
        assert place.fresh(payment).state != Payment.State.SUCCEEDED
    place.make_due(timedelta(days=3, hours=1))
    place.ask()
    assert place.fresh(payment).state == Payment.State.SUCCEEDED


def test_an_answer_later_than_a_day_is_the_last_word(place: Place) -> None:
    place.start()
    place.push()
    place.make_due(timedelta(hours=25))
    assert place.ask() == 1
    with place.inside():
        assert PaymentAttempt.objects.get().next_query_at is None


def test_the_simulated_phone_was_asked_once(place: Place) -> None:
    place.start()
    until(lambda: len(place.far.pushes) == 1)
    assert sum("processrequest" in one["path"] for one in place.far.journal) == 1


def forge(place: Place, push: Any, receipt: str) -> None:
    """A success posted by somebody who knows the gateway's reference and nothing else."""
    items = [{"Name": "Amount", "Value": push.amount}, {"Name": "MpesaReceiptNumber", "Value": receipt}]
    callback = {"CheckoutRequestID": push.checkout_request_id, "ResultCode": 0, "CallbackMetadata": {"Item": items}}
    place.deliver(json.dumps({"Body": {"stkCallback": callback}}).encode(), path="/api/webhooks/mpesa-callback")


def test_a_receipt_nobody_proved_is_never_booked(place: Place) -> None:
    payment = place.start()
    forge(place, place.push(), "FORGED0001")
    place.end()
    place.make_due()
    place.ask()
    place.drain()
    place.deliver()
    assert place.fresh(payment).receipt == place.push().receipt


def test_another_payments_receipt_claimed_for_this_one_does_not_hold_it_up(place: Place) -> None:
    place.start()
    place.end()
    place.deliver()
    second = place.start(amount="1600")
    push = list(place.far.pushes.values())[-1]
    forge(place, push, place.push().receipt)
    place.far.end(push, "lost_callback")
    place.make_due()
    place.ask()
    assert place.fresh(second).state == Payment.State.SUCCEEDED


def test_an_answer_that_breaks_off_leaves_the_payment_pending(place: Place) -> None:
    place.far.faults.arm("cut_midway", on="push")
    assert place.start().state == Payment.State.PENDING


def test_an_answer_without_a_reference_does_not_undo_what_an_early_callback_taught(place: Place) -> None:
    place.far.faults.arm("cut_after", on="push")
    payment = place.start()
    with place.inside():
        PaymentAttempt.objects.update(gateway_reference=place.push().checkout_request_id)
        attempt = PaymentAttempt.objects.get()
    with tenancy.tenant_context(place.tenant.id):
        _started(payment.id, attempt.id, None, "http.broken", None)  # type: ignore[arg-type]
    with place.inside():
        assert PaymentAttempt.objects.get().gateway_reference == place.push().checkout_request_id
