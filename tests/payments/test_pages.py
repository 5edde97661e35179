"""Payments' pages for staff."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ispbilling.kernel import clock
from ispbilling.kernel.models import AuditEntry
from ispbilling.kernel.money import Money
from payments.models import Payment, PaymentAttempt, PaymentEvent
from payments.selectors import payments_daily
from payments.services import money_receive, payment_ask
from payments.timeline import shown
from tests import factories

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PAGE = "/dashboard/payments/"


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "owner").user, BACKEND)
    return browser


def paid(receipt: str, amount: str = "100", **given: Any) -> Payment:
    account = given.pop("account", None) or factories.account_make()
    return money_receive(
        account_id=account.id,
        amount=Money(Decimal(amount), "KES"),
        receipt=receipt,
        payer_text=given.pop("payer_text", "nobody"),
        actor=factories.ACTOR,
        **given,
    )


def asked(state: str = Payment.State.EXPIRED) -> PaymentAttempt:
    """A payment whose phone was asked."""
    account, now = factories.account_make("mpesa"), clock.machine_now()
    payment = Payment.objects.create(
        account=account,
        customer=factories.customer_make(),
        amount=Decimal(100),
        currency="KES",
        phone="+254712345678",
        idempotency_key="k",
        state=state,
        receipt_family="mpesa",
        created_at=clock.now(),
        started_at=now,
    )
    attempt: PaymentAttempt = PaymentAttempt.objects.create(
        payment=payment, account=account, reference="PABCDEFGHJKM", started_at=now
    )
    return attempt


@pytest.mark.parametrize(
    ("question", "receipts"),
    [
        ("q=R-ONE", {"R-ONE"}),
        ("q=my+house", {"R-TWO"}),
        ("q=0712345678", {"R-TWO"}),
        ("least=150", {"R-TWO"}),
        ("most=150", {"R-ONE"}),
        ("state=failed", set()),
        ("since=2000-01-01&until=9999-12-31", {"R-ONE", "R-TWO"}),
        ("until=2000-01-01", set()),
        ("state=nonsense&least=a&since=b&account=c", {"R-ONE", "R-TWO"}),
    ],
)
def test_the_list_is_narrowed_by_what_is_asked(here: Client, question: str, receipts: set[str]) -> None:
    paid("R-ONE")
    paid("R-TWO", "200", payer_text="my house", phone="+254712345678")
    text = here.get(f"{PAGE}?{question}").content.decode()
    assert {one for one in ("R-ONE", "R-TWO") if f'"code">{one}<' in text} == receipts


def test_our_reference_finds_its_payment(here: Client) -> None:
    attempt = asked()
    assert str(attempt.payment_id) in here.get(f"{PAGE}?q=pabcdefghjkm").content.decode()


def test_totals_are_of_the_local_day_and_of_each_way(tenant: Any) -> None:
    cash, bank = factories.account_make(), factories.account_make()
    paid("A", "100", account=cash)
    paid("B", "50", account=bank)
    paid("C", "70", account=cash, paid_at=clock.now() - timedelta(days=1))
    paid("D", "900", account=cash, paid_at=clock.now() - timedelta(days=30))
    today, yesterday = payments_daily(accounts=[cash, bank], days=2, currency="KES", zone=tenant.zone_info)
    assert [money.amount for money in today.by_account] == [Decimal(100), Decimal(50)]
    assert (today.total.amount, today.count) == (Decimal(150), 2)
    assert yesterday.total.amount == Decimal(70)


def test_the_file_has_what_the_list_has_and_no_formula(here: Client) -> None:
    paid("=1+1")
    paid("R-TWO", "200")
    rows = here.get(f"{PAGE}export/?least=50&most=150").content.decode("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "'=1+1" in rows[1]


def test_a_payment_shows_what_the_gateway_sent_without_the_whole_telephone(here: Client) -> None:
    attempt = asked()
    body = {"Body": {"Item": [{"Name": "PhoneNumber", "Value": 254712345678}, {"Name": "Amount", "Value": 100}]}}
    PaymentEvent.objects.create(
        account=attempt.account,
        attempt=attempt,
        has_token=True,
        body=json.dumps(body).encode(),
        headers={},
        source_address="127.0.0.1",
        received_at=clock.machine_now(),
    )
    text = here.get(f"{PAGE}{attempt.payment_id}/").content.decode()
    assert "2547*****678" in text
    assert "254712345678" not in text
    assert "PABCDEFGHJKM" in text


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 5000, b'{"MSISDN": 254712345678', b"<html>254712345678"])
def test_what_nobody_can_read_is_shown_as_it_is(body: bytes) -> None:
    assert "254712345678" not in shown(body)


def test_a_person_has_the_gateway_asked_and_not_again_at_once(tenant: Any) -> None:
    attempt = asked()
    answers = [payment_ask(payment_id=attempt.payment_id, actor=factories.ACTOR) for _ in range(2)]
    assert answers == [True, False]
    attempt.refresh_from_db()
    assert attempt.next_query_at <= clock.machine_now()
    assert AuditEntry.objects.filter(verb="payment.ask").count() == 1


def test_nobody_is_asked_about_cash(tenant: Any) -> None:
    assert payment_ask(payment_id=paid("A").id, actor=factories.ACTOR) is False
