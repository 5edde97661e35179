"""Every address against everybody who might knock: the permission table, tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Role
from accounts.permissions import PERMISSIONS, role_has
from billing.models import CutStop
from ispbilling.kernel import access, clock, tenancy
from ispbilling.kernel.access import Audience
from ispbilling.kernel.models import Event
from portal.auth import SESSION_KEY
from tests import factories


def addresses() -> Iterator[tuple[str, str, Any]]:
    """(view name, route, view) of every address."""

    def walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[tuple[str, str, Any]]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                yield from walk(entry, route, inner)
            elif isinstance(entry, URLPattern):
                yield f"{namespace}{entry.name}", route, entry.callback

    yield from walk(get_resolver(), "", "")


RULES = {name: (route, access.rule_of(view, name)) for name, route, view in addresses()}
STAFF = sorted(name for name, (_, rule) in RULES.items() if rule and rule.audience is Audience.STAFF)
CUSTOMER = sorted(name for name, (_, rule) in RULES.items() if rule and rule.audience is Audience.CUSTOMER)
POST_ONLY = {"billing:customer_hold", "billing:cuts_release", "dashboard:event_retry", "portal:switch", "portal:pay"}


class World:
    """A tenant with one of everything, and clients signed in as anybody."""

    def __init__(self) -> None:
        self.tenant = factories.tenant_make()
        with tenancy.tenant_context(self.tenant.id):
            self.line = factories.line_make()
            account = factories.account_make()
            from payments.models import Payment

            self.payment = Payment.objects.create(
                account=account,
                customer=self.line.customer,
                amount=1500,
                currency="KES",
                idempotency_key="p",
                receipt_family="cash",
                created_at=clock.now(),
                started_at=clock.machine_now(),
            )
            self.event = Event.objects.create(
                name="billing.receipt_booked",
                key="k",
                shard=0,
                payload={},
                state=Event.State.PARKED,
                created_at=clock.machine_now(),
                not_before=clock.machine_now(),
            )
            self.stop = CutStop.objects.create(cause=CutStop.Cause.BRAKE, opened_at=clock.now())
        self.host = f"{self.tenant.slug}.localhost"

    def ids(self) -> dict[str, UUID]:
        return {
            "customer_id": self.line.customer_id,
            "payment_id": self.payment.id,
            "event_id": self.event.id,
            "stop_id": self.stop.id,
        }

    def path(self, name: str, ids: dict[str, UUID]) -> str:
        route, _ = RULES[name]
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[found.group(1)]), route)

    def staff(self, role: str) -> Client:
        client = Client(HTTP_HOST=self.host)
        client.force_login(
            factories.staff_make(self.tenant, role).user, "allauth.account.auth_backends.AuthenticationBackend"
        )
        return client

    def customer(self) -> Client:
        client = Client(HTTP_HOST=self.host)
        session = client.session
        session[SESSION_KEY] = [str(self.tenant.id), str(self.line.customer_id)]
        session.save()
        return client

    def ask(self, client: Client, name: str, ids: dict[str, UUID]) -> Any:
        send = client.post if name in POST_ONLY else client.get
        return send(self.path(name, ids))


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.ALLOWED_HOSTS = [".localhost"]
    return World()


def test_every_address_declares_who_may_come_in() -> None:
    assert sorted(name for name, (_, rule) in RULES.items() if rule is None) == []


def test_every_staff_rule_names_a_permission_of_the_table() -> None:
    unknown = {RULES[name][1].permission for name in STAFF} - set(PERMISSIONS)  # type: ignore[union-attr]
    assert unknown == set()


def test_an_address_without_a_rule_is_refused(world: World) -> None:
    from django.test import RequestFactory

    from accounts.middleware import AccessMiddleware

    request = RequestFactory().get("/nowhere/")
    request.resolver_match = None
    answer = AccessMiddleware(lambda _: None).process_view(request, lambda _: None, (), {})  # type: ignore[arg-type,return-value]
    assert answer is not None
    assert answer.status_code == 403


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("name", STAFF)
def test_staff_come_in_where_their_role_says_so(world: World, name: str, role: str) -> None:
    rule = RULES[name][1]
    assert rule is not None
    answer = world.ask(world.staff(role), name, world.ids())
    wanted = (200, 302) if role_has(role, rule.permission) else (403,)
    assert answer.status_code in wanted


@pytest.mark.parametrize("name", STAFF)
def test_nobody_is_sent_to_sign_in_from_staff_pages(world: World, name: str) -> None:
    answer = world.ask(Client(HTTP_HOST=world.host), name, world.ids())
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")


@pytest.mark.parametrize("name", STAFF)
def test_a_customer_is_nobody_to_staff_pages(world: World, name: str) -> None:
    answer = world.ask(world.customer(), name, world.ids())
    assert answer["Location"].startswith("/account/login/")


@pytest.mark.parametrize("name", CUSTOMER)
def test_nobody_is_sent_to_sign_in_from_customer_pages(world: World, name: str) -> None:
    answer = world.ask(Client(HTTP_HOST=world.host), name, world.ids())
    assert (answer.status_code, answer["Location"]) == (302, "/client/sign-in/")


@pytest.mark.parametrize("name", CUSTOMER)
def test_staff_are_nobody_to_customer_pages(world: World, name: str) -> None:
    answer = world.ask(world.staff("owner"), name, world.ids())
    assert (answer.status_code, answer["Location"]) == (302, "/client/sign-in/")


@pytest.mark.parametrize("name", [name for name in STAFF + CUSTOMER if "<" in RULES[name][0]])
def test_an_unknown_id_and_another_tenants_id_are_the_same_404(world: World, name: str) -> None:
    other = World()
    client = world.staff("owner") if name in STAFF else world.customer()
    unknown = world.ask(client, name, {key: uuid4() for key in world.ids()})
    foreign = world.ask(client, name, other.ids())
    own = world.ask(client, name, world.ids())
    assert own.status_code in (200, 302)
    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert _plain(unknown) == _plain(foreign)


def _plain(answer: Any) -> str:
    """The page without what differs between any two answers."""
    text = answer.content.decode()
    return re.sub(r"[0-9a-f-]{36}|csrf[^>]*>", "", text)


def test_a_customers_session_is_worth_nothing_at_another_tenants_host(world: World) -> None:
    other = World()
    client = world.customer()
    answer = client.get("/client/", HTTP_HOST=other.host)
    assert (answer.status_code, answer["Location"]) == (302, "/client/sign-in/")


def test_another_customers_payment_of_the_same_tenant_is_not_found(world: World) -> None:
    with tenancy.tenant_context(world.tenant.id):
        neighbour = factories.line_make()
    client = Client(HTTP_HOST=world.host)
    session = client.session
    session[SESSION_KEY] = [str(world.tenant.id), str(neighbour.customer_id)]
    session.save()
    assert client.get(world.path("portal:payment", world.ids())).status_code == 404


@pytest.mark.parametrize("name", ["dashboard:customers", "payments:payments", "sms:messages", "network:routers"])
def test_lists_show_the_own_tenants_rows_alone(world: World, name: str) -> None:
    other = World()
    with tenancy.tenant_context(other.tenant.id):
        factories.line_make(name="Zebedee Otherside", router=factories.router_make(name="zz-other-tower"))
    text = world.ask(world.staff("owner"), name, {}).content.decode()
    assert "Zebedee" not in text
    assert "zz-other-tower" not in text


def test_a_search_finds_the_own_tenants_customers_alone(world: World) -> None:
    other = World()
    for place in (world, other):
        with tenancy.tenant_context(place.tenant.id):
            factories.customer_make(name=f"Findme {place.tenant.slug}")
    text = world.staff("owner").get("/dashboard/customers/?q=findme").content.decode()
    assert f"Findme {world.tenant.slug}" in text
    assert f"Findme {other.tenant.slug}" not in text


def test_totals_count_the_own_tenant_alone(world: World) -> None:
    from dashboard.selectors import home_figures

    World()
    with tenancy.tenant_context(world.tenant.id):
        assert home_figures()["lines"] == 1


@pytest.mark.parametrize("path", ["/hooks/p/0123456789abcdef/x", "/hooks/m/0123456789abcdef/report"])
def test_a_hook_with_a_wrong_token_is_not_found(world: World, path: str) -> None:
    assert Client(HTTP_HOST=world.host).post(path, {}).status_code == 404
