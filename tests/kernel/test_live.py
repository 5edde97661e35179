"""Words about what changed, from a commit to a browser, over the real web process."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client

from accounts.models import Tenant
from accounts.services import member_role_set
from customers.models import Customer
from ispbilling.kernel import live, tenancy
from ispbilling.kernel.live_hub import Hub, Listener
from ispbilling.kernel.live_streams import Streams
from portal.auth import SESSION_KEY
from tests import factories
from tests.outside import until

pytestmark = pytest.mark.usefixtures("committed")
CHECK_S = 2.0
THREADS = 4


@contextmanager
def web(**environment: str) -> Iterator[str]:
    """The web process as an installation runs it; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "ispbilling.asgi:application", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "1"]
    assert settings.DATABASES["default"]["NAME"] in os.environ["DATABASE_URL"]
    given = {
        "LIVE_CHECK_S": str(CHECK_S),
        "WEB_THREADS": str(THREADS),
        "ALLOWED_HOSTS": "127.0.0.1,.localhost",
        **environment,
    }
    process = subprocess.Popen(command, env={**os.environ, **given})

    def is_up() -> bool:
        assert process.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(is_up, 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def place(django_db_setup: None) -> Iterator[str]:
    with web(LIVE_STREAMS_PER_PERSON="200") as address:
        yield address


class Browser:
    """Somebody's session, and a stream that is read in a thread."""

    def __init__(self, address: str, path: str, cookies: dict[str, str], host: str) -> None:
        self.url, self.cookies, self.host = address + path, cookies, host
        self.heard: list[str] = []
        self.status = 0
        self.is_open = False
        self.is_over = False
        self._thread = threading.Thread(target=self._read, daemon=True)

    def begin(self, *words: str) -> None:
        self._words = ",".join(words)
        self._thread.start()

    def listen(self, *words: str) -> Browser:
        self.begin(*words)
        until(lambda: self.is_open or self.is_over, 60)
        return self

    def _read(self) -> None:
        headers = {"Host": self.host, "Accept": "text/event-stream"}
        with requests.get(
            self.url,
            params={"words": self._words},
            headers=headers,
            cookies=self.cookies,
            stream=True,
            timeout=60,
            allow_redirects=False,
        ) as answer:
            self.status = answer.status_code
            if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                with suppress(requests.exceptions.ChunkedEncodingError):  # the process ended before the stream
                    for line in answer.iter_lines():
                        self.is_open = True
                        if line.startswith(b"data: "):
                            self.heard.append(line[6:].decode())
        self.is_over, self.is_open = True, False


def staff(address: str, tenant: Tenant, role: str = "owner") -> tuple[Browser, Any]:
    member = factories.staff_make(tenant, role)
    client = Client()
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    return Browser(address, "/dashboard/live/", cookies, f"{tenant.slug}.localhost"), member


def customer(address: str, tenant: Tenant, row: Customer) -> Browser:
    client = Client()
    session = client.session
    session[SESSION_KEY] = [str(tenant.id), str(row.id)]
    session.save()
    cookies = {settings.SESSION_COOKIE_NAME: session.session_key or ""}
    return Browser(address, "/client/live/", cookies, f"{tenant.slug}.localhost")


def say(tenant: Tenant, *words: str) -> None:
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        live.say(*words)


def test_a_word_reaches_whoever_listens_for_it_and_nobody_of_another_tenant(place: str) -> None:
    ours, theirs = factories.tenant_make(), factories.tenant_make()
    here, _ = staff(place, ours)
    there, _ = staff(place, theirs)
    here.listen("payments", "sessions")
    there.listen("payments", "sessions")
    say(ours, "payments", "routers")
    assert until(lambda: here.heard) == ["payments"]
    say(theirs, "sessions")
    assert until(lambda: there.heard) == ["sessions"]
    assert here.heard == ["payments"]


def test_what_is_rolled_back_was_never_said(place: str) -> None:
    tenant = factories.tenant_make()
    browser, _ = staff(place, tenant)
    browser.listen("payments", "sessions")
    with tenancy.tenant_context(tenant.id), pytest.raises(ZeroDivisionError), transaction.atomic():
        live.say("payments")
        raise ZeroDivisionError
    say(tenant, "sessions")
    assert until(lambda: browser.heard) == ["sessions"]


def test_a_word_said_a_hundred_times_at_once_is_heard_once(place: str) -> None:
    tenant = factories.tenant_make()
    browser, _ = staff(place, tenant)
    browser.listen("payments", "alerts")
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        for _ in range(100):
            live.say("payments")
    until(lambda: "payments" in browser.heard)
    say(tenant, "alerts")
    until(lambda: "alerts" in browser.heard)
    assert browser.heard == ["payments", "alerts"]


def test_a_role_hears_what_it_may_see_alone(place: str) -> None:
    tenant = factories.tenant_make()
    browser, _ = staff(place, tenant, "technician")
    browser.listen("payments", "sessions", "nonsense", "kernel:drop")
    say(tenant, "payments", "nonsense")
    say(tenant, "sessions")
    assert until(lambda: browser.heard) == ["sessions"]


def test_a_customer_hears_of_himself_alone(place: str) -> None:
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        one, other = factories.customer_make(), factories.customer_make()
    browser = customer(place, tenant, one).listen("payments", f"customer:{other.id}", f"customer:{one.id}")
    say(tenant, "payments", f"customer:{other.id}")
    say(tenant, f"customer:{one.id}")
    assert until(lambda: browser.heard) == [f"customer:{one.id}"]


@pytest.mark.parametrize("path", ["/dashboard/live/", "/client/live/"])
def test_whoever_is_not_signed_in_hears_nothing(place: str, path: str) -> None:
    tenant = factories.tenant_make()
    browser = Browser(place, path, {}, f"{tenant.slug}.localhost").listen("payments")
    assert (browser.status, browser.is_over, browser.heard) == (302, True, [])


def test_a_session_that_is_ended_hears_no_more(place: str) -> None:
    tenant = factories.tenant_make()
    browser, _ = staff(place, tenant)
    browser.listen("payments")
    with transaction.atomic():
        Session.objects.all().delete()
    until(lambda: browser.is_over)
    assert browser.heard == ["over"]


def test_a_role_that_was_taken_away_hears_no_more(place: str) -> None:
    tenant = factories.tenant_make()
    browser, member = staff(place, tenant, "billing")
    _, owner = staff(place, tenant)
    browser.listen("payments")
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        member_role_set(member_id=member.id, role="technician", by=owner, actor=factories.ACTOR)
    until(lambda: browser.is_over)
    assert browser.heard == ["over"]


def test_a_stream_whose_session_stands_outlives_its_checks(place: str) -> None:
    tenant = factories.tenant_make()
    browser, _ = staff(place, tenant)
    browser.listen("payments")
    time.sleep(2 * CHECK_S)
    say(tenant, "payments")
    assert until(lambda: browser.heard) == ["payments"]


@pytest.mark.timeout(240)
def test_two_hundred_streams_hold_no_connection_to_the_database(place: str) -> None:
    tenant = factories.tenant_make()
    first, _ = staff(place, tenant)
    browsers = [Browser(place, "/dashboard/live/", first.cookies, first.host) for _ in range(200)]
    for one in browsers:
        one.begin("payments")
    until(lambda: sum(one.is_open for one in browsers) == 200, 120)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone()[0] <= THREADS + 1  # those of the pages, and this test
    assert requests.get(f"{place}/healthz", timeout=20).status_code == 200
    say(tenant, "payments")
    until(lambda: all("payments" in one.heard for one in browsers), 60)


def test_one_person_and_one_process_open_so_many_streams_and_no_more(committed: None) -> None:
    tenant = factories.tenant_make()
    with web(LIVE_STREAMS_PER_PERSON="2", LIVE_STREAMS_MAX="3") as place:
        first, _ = staff(place, tenant)
        streams = [Browser(place, "/dashboard/live/", first.cookies, first.host).listen("alerts") for _ in range(3)]
        assert [one.status for one in streams] == [200, 200, 429]
        others = [staff(place, tenant)[0].listen("alerts") for _ in range(2)]
        assert [one.status for one in others] == [200, 503]


def test_without_redis_nobody_listens_and_nothing_fails(committed: None) -> None:
    tenant = factories.tenant_make()
    with web(REDIS_URL="redis://127.0.0.1:1/0") as place:
        browser, _ = staff(place, tenant)
        assert browser.listen("payments").status == 503
        page = requests.get(
            f"{place}/client/sign-in/", headers={"Host": browser.host}, timeout=30, allow_redirects=False
        )
        assert page.status_code == 200


# --- The parts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("payments,payments", ["payments"]),
        (f"customer:{UUID(int=7)}", [f"customer:{UUID(int=7)}"]),
        ("customer:7,PAYMENTS,pay ments,\n,payments\ndata: x", []),
        (",".join(["alerts"] * 1000), ["alerts"]),
    ],
)
def test_a_question_for_words_is_read_strictly(text: str, words: list[str]) -> None:
    assert live.words_of(text) == words


def test_a_listener_holds_each_word_once() -> None:
    async def play() -> list[str]:
        listener = Listener("t", ["payments", "sessions"])
        for _ in range(1000):
            listener.hear(["payments", "routers"])
        return await listener.take(1) + await listener.take(0)

    assert asyncio.run(play()) == ["payments"]


def test_what_somebody_else_publishes_is_no_word() -> None:
    async def play() -> list[str]:
        hub, tenant = Hub("unused"), str(uuid4())
        listener = Listener(tenant, ["payments"])
        hub.add(listener)
        for data in (b"{", b"7", b'"payments"', b'[["payments"]]', b"\xff", b'{"a": "payments"}'):
            hub._pass_on({"channel": f"live:{tenant}".encode(), "data": data})
        return await listener.take(0)

    assert asyncio.run(play()) == []


def test_whoever_does_not_read_is_let_go() -> None:
    """The connection of a reader that stands still takes nothing more."""

    async def pages(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"tenant": "t", "who": "w", "words": ["alerts"]}'})

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    async def play() -> int:
        streams = Streams(pages, ["/live/"], slow_s=0.1)
        await asyncio.wait_for(streams({"type": "http", "method": "GET", "path": "/live/"}, receive, send), 10)
        return streams._open.total()

    assert asyncio.run(play()) == 0
