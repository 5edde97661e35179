"""The code base tests itself: the page of events, the budgets of lists, the seams of failpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ispbilling.kernel import clock, counters, events, failpoints, tenancy
from ispbilling.kernel.event_page import emitters_of, page
from ispbilling.kernel.models import Event
from tests import factories

BUDGET = 12
#: What a request asks only because a test's transaction is around it: the end of its own would have done.
WRAPPING = r"SAVEPOINT|RELEASE|ROLLBACK TO|SET LOCAL ROLE NONE|SELECT set_config"


def test_the_page_of_events_is_what_the_code_says() -> None:
    assert (settings.BASE_DIR / "docs" / "events.md").read_text() == page(settings.BASE_DIR)


def test_every_event_is_emitted_somewhere() -> None:
    emitted = emitters_of(settings.BASE_DIR)
    own = {cls.__name__ for cls in events.event_types().values() if not cls.__module__.startswith("tests")}
    assert own - set(emitted) == set()


def test_every_failpoint_of_the_list_stands_in_the_code_and_the_other_way_round() -> None:
    found: set[str] = set()
    for file in settings.BASE_DIR.glob("*/**/*.py"):
        if "tests" not in file.parts:
            found |= set(re.findall(r'\bfailpoint\("([^"]+)"\)', file.read_text()))
    assert found == failpoints.FAILPOINTS


def test_a_failpoint_does_nothing_unless_armed(settings: Any) -> None:
    settings.FAILPOINTS_DIR = None
    failpoints.failpoint("not in the list")


def test_an_armed_failpoint_raises(settings: Any, tmp_path: Any) -> None:
    settings.FAILPOINTS_DIR = str(tmp_path)
    (tmp_path / "sms.send.before_call").write_text("raise")
    with pytest.raises(failpoints.FailpointHit):
        failpoints.failpoint("sms.send.before_call")


def customers(count: int) -> None:
    router, package = factories.router_make(), factories.package_make()
    for _ in range(count):
        factories.line_make(router=router, package=package)


def messages(count: int) -> None:
    from sms.services import message_send

    customer = factories.customer_make()
    for number in range(count):
        message_send(
            code="portal_code", key=f"k{clock.now().timestamp()}-{number}", to="+254712345678",
            customer_id=customer.id, values={"code": "1"},
        )  # fmt: skip


def payments(count: int) -> None:
    from ispbilling.kernel.money import Money
    from payments.services import money_receive

    account, customer = factories.account_make(), factories.customer_make()
    for number in range(count):
        money_receive(
            account_id=account.id,
            amount=Money(Decimal(100), "KES"),
            receipt=f"{account.id}-{number}",
            payer_text=customer.code,
            actor=factories.ACTOR,
        )


def statement_lines(count: int) -> None:
    from payments.models import StatementLine

    account = factories.account_make("mpesa")
    StatementLine.objects.bulk_create(
        StatementLine(
            account=account, receipt_family="mpesa", receipt=f"T{account.id}{number}"[-40:], amount=Decimal(100),
            currency="KES", at=clock.now(), seen_at=clock.machine_now(),
        )
        for number in range(count)
    )  # fmt: skip


def routers(count: int) -> None:
    for _ in range(count):
        factories.router_make()


def parked(count: int) -> None:
    Event.objects.bulk_create(
        Event(
            name="billing.receipt_booked", key="k", shard=0, payload={}, state=Event.State.PARKED,
            created_at=clock.machine_now(), not_before=clock.machine_now(),
        )
        for _ in range(count)
    )  # fmt: skip


def audited(count: int) -> None:
    from ispbilling.kernel import audit

    for number in range(count):
        customer = factories.customer_make()
        audit.record(actor=f"customer:{customer.id}", verb="x.done", row=customer, new={"number": number})


def sessions(count: int) -> None:
    from network.models import Session

    at = clock.machine_now()
    for number in range(count):
        line = factories.line_make()
        Session.objects.create(line=line, router=line.router, key=f"{number}", started_at=at, seen_at=at)


LISTS: dict[str, Callable[[int], None]] = {
    "/dashboard/customers/": customers,
    "/dashboard/messages/": messages,
    "/dashboard/payments/": payments,
    "/dashboard/suspense/": statement_lines,
    "/dashboard/routers/": routers,
    "/dashboard/sessions/": sessions,
    "/dashboard/home/sessions/": sessions,
    "/dashboard/events/": parked,
    "/dashboard/audit/": audited,
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_200_costs_as_many_queries_as_one_of_10(path: str, tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    member = factories.staff_make(tenant, "owner")
    client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")

    def cost() -> int:
        counters.forget(tenant.id)  # the dearest case: the shell counts anew
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len([query for query in captured if not re.match(WRAPPING, query["sql"])])

    LISTS[path](10)
    few = cost()
    LISTS[path](190)
    many = cost()
    assert few == many
    assert many <= BUDGET


def test_a_list_goes_on_where_the_page_before_ended(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    client.force_login(
        factories.staff_make(tenant, "owner").user, "allauth.account.auth_backends.AuthenticationBackend"
    )
    customers(60)
    seen: list[str] = []
    path = "/dashboard/customers/"
    for _ in range(5):
        text = client.get(path).content.decode()
        seen += re.findall(r'<span class="code">(C\d+)</span>', text)
        following = re.search(r'href="(\?[^"]*after=[^"]*)"', text)
        if following is None:
            break
        path = "/dashboard/customers/" + following[1].replace("&amp;", "&")
    with tenancy.tenant_context(tenant.id):
        from customers.models import Customer

        assert sorted(seen) == sorted(Customer.objects.values_list("code", flat=True))


@pytest.mark.parametrize("cursor", ["x", "e30=", "WzEsMl0=", "%00", "W10="])
def test_a_garbled_page_address_gives_the_first_page(cursor: str, tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    client.force_login(
        factories.staff_make(tenant, "owner").user, "allauth.account.auth_backends.AuthenticationBackend"
    )
    assert client.get(f"/dashboard/customers/?after={cursor}").status_code == 200


def test_strict_headers_stand_on_every_page(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    answer = Client(HTTP_HOST=f"{tenant.slug}.localhost").get("/client/sign-in/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"


def test_the_log_hides_secrets_and_phones() -> None:
    from ispbilling.logs import redact

    entry = redact(None, "info", {"event": "to +254712345678", "password": "x", "api_key": "y", "ok": "z"})
    assert entry == {"event": "to +25471•••678", "password": "***", "api_key": "***", "ok": "z"}
