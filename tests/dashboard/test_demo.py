"""The demo's plan and its playing: the same seed, the same books; a kill in the middle loses and doubles nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Tenant
from billing.models import Invoice, Receipt, Subscription
from billing.services import ledger_check
from dashboard.demo.fill import demo_fill, demo_open
from dashboard.demo.houses import PADMA, SAVANNA, houses
from dashboard.demo.opening import email_of, house_find
from dashboard.demo.plan import Kind, plan
from dashboard.demo.progress import Progress, progress_read
from ispbilling.kernel import clock, phone, tenancy
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.models import Event
from network.models import Line, Session
from payments.models import Payment
from sms.models import Message
from tests.factories import staff_make

ROOT = Path(__file__).resolve().parents[2]
LAST = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ENDS: dict[str, Any] = {
    "mpesa": {"business_shortcode": "174379", "passkey": "k", "consumer_key": "k", "consumer_secret": "s"},
    "sms": {"username": "sandbox", "api_key": "k"},
    "daraja": "http://127.0.0.1:9",
    "africastalking": "http://127.0.0.1:9",
    "routers": {"tower": {"host": "127.0.0.1", "port": 9, "username": "billing", "password": "p"}},
}


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.DEMO_PROGRESS_FILE = str(tmp_path / "history.json")
    return tmp_path / "history.json"


@pytest.fixture(autouse=True)
def _now_again() -> Iterator[None]:
    yield
    clock.live_at(None)


def progress(days: int) -> Progress:
    return Progress(seed=7, days=days, is_small=True, last=LAST)


def town() -> Tenant:
    found = house_find(houses(is_small=True)[0])
    assert found is not None
    return found


def books() -> str:
    """What the books say, without what is drawn anew in every run."""
    with tenancy.tenant_context(town().id), transaction.atomic():
        told = [
            list(
                Receipt.objects.exclude(method="cash").order_by("number").values_list("number", "amount", "booked_at")
            ),
            list(Receipt.objects.order_by("received_at").values_list("customer__code", "amount", "method")),
            list(Invoice.objects.order_by("number").values_list("number", "total", "customer__code")),
            list(Subscription.objects.order_by("customer__code").values_list("customer__code", "state", "expires_at")),
            list(Message.objects.order_by("created_at", "to", "text").values_list("to", "code", "state")),
            list(
                Line.objects.order_by("username").values_list("username", "level", "generation", "applied_generation")
            ),
        ]
        assert ledger_check() == []
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


# --- the plan ---------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    first, again, other = (plan(house=SAVANNA, seed=seed, days=90, last=LAST) for seed in (1, 1, 2))
    assert first == again
    assert first.acts != other.acts


def test_everybody_has_a_telephone_and_a_login_of_his_own_that_can_be_called() -> None:
    for house in (SAVANNA, PADMA):
        people = [customer.person for customer in plan(house=house, seed=1, days=90, last=LAST).customers]
        assert len({one.phone for one in people}) == len({one.login for one in people}) == house.customers
        assert all(phone.normalise(one.phone, house.country_code) == one.phone for one in people)


def test_no_two_payments_have_one_receipt() -> None:
    acts = plan(house=SAVANNA, seed=1, days=90, last=LAST).acts
    receipts = [act.receipt for act in acts if act.receipt and act.kind is not Kind.CLAIM]
    assert len(set(receipts)) == len(receipts)


def test_days_hold_every_act_once_and_none_is_later_than_the_last_instant() -> None:
    made = plan(house=SAVANNA, seed=1, days=30, last=LAST)
    days = list(made.by_day())
    assert len(days) == 31
    assert [act for _, acts in days for act in acts] == list(made.acts)
    assert made.acts[-1].at <= LAST


# --- the playing ------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committed", "file")
def test_a_history_is_whole_nothing_is_parked_and_the_books_balance() -> None:
    demo_open(progress=progress(3), ends=ENDS)
    done = demo_fill(progress=progress(3), ends=ENDS, tell=lambda _: None)
    assert done.is_complete
    assert progress_read() == done
    with tenancy.tenant_context(town().id), transaction.atomic():
        assert Line.objects.count() == 12
        assert Payment.objects.filter(state=Payment.State.SUCCEEDED).count() == Receipt.objects.count() > 9
        assert Event.objects.exclude(state=Event.State.DONE).count() == 0
        assert Message.objects.filter(state=Message.State.QUEUED).count() == 0
        assert Session.objects.filter(stopped_at=None).exists()
        assert {line.is_converged for line in Line.objects.all()} == {True}
        assert Payment.objects.filter(created_at__gt=LAST).count() == 0
        assert ledger_check() == []


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committed", "file")
def test_stopped_between_two_days_and_started_again_it_gives_the_same_books_as_in_one_go() -> None:
    demo_open(progress=progress(3), ends=ENDS)
    demo_fill(progress=progress(3), ends=ENDS, tell=lambda _: None, days_most=2)
    half = progress_read()
    assert half is not None
    assert half.done == 2
    demo_fill(progress=half, ends=ENDS, tell=lambda _: None)
    in_two = books()
    demo_fill(progress=replace(half, done=0), ends=ENDS, tell=lambda _: None)
    assert books() == in_two  # all of it once more changes nothing


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committed")
def test_killed_in_the_middle_and_started_again_nothing_is_lost_and_nothing_doubled(file: Path, tmp_path: Path) -> None:
    ends = tmp_path / "ends.json"
    ends.write_text(json.dumps(ENDS))
    demo_open(progress=progress(6), ends=ENDS)
    words = ["-c", "import django; django.setup(); from tests.dashboard.test_demo import fill_here; fill_here()"]
    environment = {**os.environ, "DEMO_PROGRESS_FILE": str(file)}
    child = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment)
    deadline = time.monotonic() + 120
    while (found := progress_read()) is None or found.done < 2:
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not found.is_complete
    demo_fill(progress=found, ends=ENDS, tell=lambda _: None)
    with tenancy.tenant_context(town().id), transaction.atomic():
        wanted = [act for act in plan(house=houses(is_small=True)[0], seed=7, days=6, last=LAST).acts if act.receipt]
        numbers = sorted(act.receipt for act in wanted if act.kind is not Kind.CLAIM)
        assert sorted(Receipt.objects.exclude(method="cash").values_list("number", flat=True)) == numbers
        assert Event.objects.filter(state=Event.State.PARKED).count() == 0
        assert ledger_check() == []


def fill_here() -> None:
    """What the killed process does."""

    found = progress_read()
    assert found is not None
    demo_fill(progress=found, ends=ENDS, tell=lambda _: None)


@pytest.mark.django_db
def test_where_the_clock_may_not_move_nothing_is_filled(settings: Any) -> None:
    settings.CLOCK_MAY_MOVE = False
    with pytest.raises(DomainError, match="real customers"):
        demo_open(progress=progress(10), ends=ENDS)
    with pytest.raises(DomainError, match="cannot be moved"):
        clock.live_at(LAST)


def test_nobody_lives_at_an_instant_that_has_not_been() -> None:
    with pytest.raises(DomainError, match="has not been"):
        clock.live_at(datetime(2999, 1, 1, tzinfo=UTC))


# --- the strip on the pages -------------------------------------------------------------------------------------


def page(tenant: Tenant) -> Client:
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    client.force_login(staff_make(tenant, "owner").user, BACKEND)
    return client


@pytest.mark.django_db
def test_pages_tell_how_far_the_history_is_and_stop_asking_when_it_is_complete(
    tenant: Any, file: Path, settings: Any
) -> None:
    from dashboard.demo.progress import progress_write

    settings.ALLOWED_HOSTS = [".localhost"]
    browser = page(tenant)
    assert "history is being made" not in browser.get("/dashboard/").content.decode()
    progress_write(replace(progress(9), done=5))
    assert 'value="50"' in browser.get("/dashboard/").content.decode()
    assert "every 2s" in browser.get("/dashboard/demo/progress/").content.decode()
    progress_write(replace(progress(9), done=10))
    last = browser.get("/dashboard/demo/progress/").content.decode()
    assert "is complete" in last
    assert "every 2s" not in last
    assert "history is being made" not in browser.get("/dashboard/").content.decode()


def test_every_role_has_a_log_in_and_they_differ() -> None:
    assert email_of(SAVANNA, "owner") == "owner@savanna.example"
    assert len(SAVANNA.staff) == len(PADMA.staff) == 6
