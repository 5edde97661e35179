"""The redirect for whoever is behind the wall, over a real socket."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import Tenant
from billing.models import Subscription
from ispbilling.kernel import clock, tenancy
from network.models import Session
from tests import factories
from tests.network.conformance import until

pytestmark = pytest.mark.usefixtures("committed")

PUBLIC = "http://billing.example.org:8000"
Ask = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def ask(committed: None) -> Iterator[Ask]:
    """The process itself, and a question to it."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "portal.wall_server:application", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--log-level", "warning"]
    assert database["NAME"] in os.environ["DATABASE_URL"]
    process = subprocess.Popen(command, env={**os.environ, "PUBLIC_URL": PUBLIC})

    def asked(
        path: str = "/", host: str = "neverssl.com", method: str = "GET", source: str = "127.0.0.1"
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=(source, 0))
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def is_up() -> bool:
        assert process.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(is_up, 60)
    yield asked
    process.terminate()
    process.wait(20)


def online(tenant: Tenant, address: str) -> None:
    """A subscriber of a tenant with this address."""
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        line = factories.line_make()
        assert isinstance(line.subscription, Subscription)
        at = clock.machine_now() - timedelta(minutes=5)
        Session.objects.create(line=line, router=line.router, key="1", address=address, started_at=at, seen_at=at)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("captive.apple.com", "/hotspot-detect.html"),
        ("connectivitycheck.gstatic.com", "/generate_204"),
        ("www.msftconnecttest.com", "/connecttest.txt"),
        ("news.example.net", "/a/b?c=d%00"),
        ("bad host\\", "//evil.example/"),
    ],
)
def test_whatever_is_asked_the_portal_is_the_answer(ask: Ask, method: str, host: str, path: str) -> None:
    answer = ask(path, host, method)
    assert (answer.status, answer.headers["Location"]) == (302, f"{PUBLIC}/client/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Connection"] == "close"


def test_the_only_tenants_portal_is_at_his_own_name(ask: Ask) -> None:
    with transaction.atomic():
        factories.tenant_make(domains=["pay.savanna.example"])
    assert ask().headers["Location"] == "http://pay.savanna.example:8000/client/"


def test_of_several_tenants_it_is_the_one_whose_subscriber_asks(ask: Ask) -> None:
    with transaction.atomic():
        one, other = (factories.tenant_make(domains=[f"{name}.example"]) for name in ("hill", "lake"))
    online(one, "127.0.0.5")
    online(other, "127.0.0.6")
    online(one, "127.0.0.7")
    online(other, "127.0.0.7")
    found = [ask(source=f"127.0.0.{last}").headers["Location"] for last in (5, 6, 7, 8)]
    assert found == [
        "http://hill.example:8000/client/",
        "http://lake.example:8000/client/",
        f"{PUBLIC}/client/",  # two have it
        f"{PUBLIC}/client/",  # nobody has it
    ]
