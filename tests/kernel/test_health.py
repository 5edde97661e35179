"""The page of health: what is looked at, what is told of it, and that nothing breaks it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import CutStop, LedgerCheck, LedgerEntry
from billing.services import ledger_check_record
from ispbilling.celery import app
from ispbilling.kernel import clock, health, pulse, tenancy
from ispbilling.kernel.health import Asked, Finding, State
from ispbilling.kernel.models import Event, Heartbeat
from network.models import Line, Router
from tests import factories
from tests.billing.test_receipts import paid

PAGE = "/dashboard/health/"


@pytest.fixture
def owner(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    member = factories.staff_make(tenant, "owner")
    client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def finding(tenant: Any, name: str) -> Finding:
    asked = Asked(clock.machine_now(), tenant.zone_info)
    return {one.check.name: one.finding for one in health.results(asked)}[name]


def event(*, old: timedelta, state: str = "pending", shard: int = 3) -> Event:
    at = clock.machine_now() - old
    made: Event = Event.objects.create(
        name="billing.receipt_booked", key=f"k{old}", shard=shard, payload={}, state=state, created_at=at, not_before=at
    )
    return made


def alive(settings: Any) -> None:
    for queue in settings.QUEUES:
        pulse.beat(queue)


def test_everything_in_order_says_so(owner: Client, tenant: Any, settings: Any) -> None:
    alive(settings)
    ledger_check_record()
    text = owner.get(PAGE).content.decode()
    assert "Everything runs." in text
    assert "broken" not in text


def test_every_queue_has_its_sign_of_life_in_the_beats_table(settings: Any) -> None:
    app.finalize()
    fired = {
        (entry["args"][0], entry["options"]["queue"])
        for entry in app.conf.beat_schedule.values()
        if entry["task"] == "ispbilling.kernel.tasks.heartbeat_task"
    }
    assert fired == {(queue, queue) for queue in settings.QUEUES}


def test_a_worker_that_is_not_heard_of_is_named(tenant: Any, settings: Any) -> None:
    assert finding(tenant, "workers").state is State.BAD
    alive(settings)
    assert finding(tenant, "workers").state is State.OK
    Heartbeat.objects.filter(queue="network").update(at=clock.machine_now() - timedelta(minutes=5))
    found = finding(tenant, "workers")
    assert (found.state, found.sentence) == (State.BAD, "Background work stands still: network.")


def test_events_that_wait_show_their_shard_and_since_when(tenant: Any) -> None:
    assert finding(tenant, "outbox").state is State.OK
    event(old=timedelta(minutes=3))
    found = finding(tenant, "outbox")
    assert found.state is State.WARN
    assert found.details[0].text.startswith("Shard 3: 1 waiting, the oldest since")
    assert "(3 minutes)" in found.details[0].text
    event(old=timedelta(minutes=30))
    assert finding(tenant, "outbox").state is State.BAD


def test_an_event_that_just_came_is_no_trouble(tenant: Any) -> None:
    event(old=timedelta(0))
    found = finding(tenant, "outbox")
    assert (found.state, found.sentence) == (State.OK, "1 event is on its way.")


def test_another_tenants_events_make_a_shard_late_and_are_not_counted(tenant: Any) -> None:
    other = factories.tenant_make()
    with tenancy.tenant_context(other.id):
        for _ in range(7):
            event(old=timedelta(minutes=30))
    found = finding(tenant, "outbox")
    assert (found.state, [one.text for one in found.details]) == (State.BAD, ["Shard 3: is late"])


def test_a_parked_event_leads_to_its_page(tenant: Any) -> None:
    event(old=timedelta(minutes=1), state="parked")
    found = finding(tenant, "outbox")
    assert (found.state, found.details[-1].url) == (State.BAD, "/dashboard/events/")


def test_a_router_that_rests_is_told_with_its_error_and_the_lines_that_wait(tenant: Any) -> None:
    line = factories.line_make(router=factories.router_make(name="tower 3"))
    assert finding(tenant, "routers").state is State.OK
    now = clock.machine_now()
    Router.objects.update(is_up=False, failures=3, last_error="no answer", last_seen_at=now, retry_at=now)
    found = finding(tenant, "routers")
    assert found.state is State.BAD
    assert "tower 3: no answer. Last answer" in found.details[0].text
    assert "1 line waits" in found.details[0].text
    Line.objects.filter(id=line.id).update(last_error="input does not match")
    refused = finding(tenant, "lines")
    assert (refused.state, refused.details[0].url) == (State.WARN, f"/dashboard/customers/{line.customer_id}/")


def test_the_last_check_of_the_book_is_kept(tenant: Any) -> None:
    assert finding(tenant, "ledger").state is State.WARN
    paid(factories.subscription_make(), "1500")
    ledger_check_record()
    assert finding(tenant, "ledger").state is State.OK
    LedgerCheck.objects.update(checked_at=clock.machine_now() - timedelta(hours=5))
    assert finding(tenant, "ledger").state is State.WARN


def test_a_difference_in_the_book_is_told_since_when_and_goes_with_the_next_good_check(tenant: Any) -> None:
    paid(factories.subscription_make(), "1500")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_ledgerbalance SET amount = amount + 1 WHERE amount > 0")
    first = ledger_check_record()
    assert first.bad_since is not None
    assert ledger_check_record().bad_since == first.bad_since
    found = finding(tenant, "ledger")
    assert found.state is State.BAD
    assert "should be 1500" in found.details[0].text
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_ledgerbalance SET amount = amount - 1 WHERE amount > 0")
    assert ledger_check_record().bad_since is None
    assert (LedgerCheck.objects.count(), LedgerEntry.objects.count()) == (1, 3)


def test_an_open_stop_of_the_cuts_is_told(tenant: Any) -> None:
    assert finding(tenant, "cuts").state is State.OK
    CutStop.objects.create(cause="brake", would_cut=200, of_active=500, opened_at=clock.now())
    found = finding(tenant, "cuts")
    assert "Too many at once (200 of 500)" in found.sentence
    assert found.details[0].url == "/dashboard/cuts/"


def test_the_page_opens_while_redis_is_away(owner: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    text = owner.get(PAGE).content.decode()
    assert "Redis does not answer." in text
    assert "PostgreSQL answers" in text


def test_a_check_that_fails_is_told_and_breaks_no_other(tenant: Any) -> None:
    def broken(_asked: Asked) -> Finding:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        raise AssertionError

    found = health.look(
        health.Check("broken", "Broken", 1, broken, "health:view"), Asked(clock.machine_now(), tenant.zone_info)
    )
    assert (found.state, "DataError" in found.sentence) == (State.BAD, True)
    assert finding(tenant, "cuts").state is State.OK


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        health.register("database", title="Database", order=1, check=lambda _: Finding(State.OK, "."))


def test_the_page_costs_the_same_however_much_is_wrong(owner: Client, settings: Any, tmp_path: Any) -> None:
    settings.FAILPOINTS_DIR = str(tmp_path)  # so that the clock is not asked from memory

    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(PAGE).status_code == 200
        return sorted(re.sub(r"'[^']*'|\d+", "?", query["sql"])[:200] for query in captured)

    asked()
    few = asked()
    for number in range(15):
        factories.line_make(router=factories.router_make())
        event(old=timedelta(minutes=number), shard=number % 8)
        event(old=timedelta(minutes=number), state="parked")
    Router.objects.update(is_up=False, failures=1)
    Line.objects.update(last_error="no")
    assert asked() == few


@pytest.mark.parametrize("role", ["billing", "support", "technician", "reseller"])
def test_only_leaders_see_it(role: str, tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    client.force_login(factories.staff_make(tenant, role).user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
        (200000, "2 days"),
    ],
)
def test_an_age_is_told_in_the_unit_that_fits(seconds: float, words: str, tenant: Any) -> None:
    at = clock.machine_now()
    assert health.age(at - timedelta(seconds=seconds), Asked(at, tenant.zone_info)) == words
