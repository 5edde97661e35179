"""Entering routers on their pages, and ending sessions, with RouterOS at the other end."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session as WebSession
from django.test import Client

from accounts.models import Tries
from ispbilling.kernel.errors import Conflict, DomainError, TooMany
from ispbilling.kernel.models import AuditEntry
from network.models import Line, Router, Session
from network.services import line_ask, line_redial, router_edit, router_remove, router_switch
from simulators.routeros import SimRouter
from tests import factories
from tests.network.conformance import until
from tests.network.place import Place
from tests.payments.test_services import _Inside

pytestmark = pytest.mark.usefixtures("committed")
PASSWORD = "billing-api"


class Desk:
    """A member of the staff before the pages."""

    def __init__(self, tenant: Any, role: str = "owner") -> None:
        self.client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
        member = factories.staff_make(tenant, role)
        self.client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")

    def ask(self, far: SimRouter, **changes: Any) -> Any:
        typed = {"name": "Hill", "host": "127.0.0.1", "port": far.port, "username": "billing", "password": PASSWORD}
        return self.client.post("/dashboard/routers/new/", {**typed, "action": "ask", **changes}, follow=True)

    def enter(self) -> Any:
        return self.client.post("/dashboard/routers/new/", {"action": "enter"}, follow=True)


def inside(tenant: Any) -> Any:
    return _Inside(tenant.id)


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


def test_a_router_is_asked_and_then_entered(far: SimRouter) -> None:
    tenant = factories.tenant_make()
    desk = Desk(tenant)
    page = desk.ask(far).content.decode()
    assert "The router answers" in page
    assert "It has no lines of others." in page
    assert PASSWORD not in page
    desk.enter()
    with inside(tenant):
        row = Router.objects.get()
        assert (row.name, row.host, row.port, row.password.reveal()) == ("Hill", "127.0.0.1", far.port, PASSWORD)
        assert AuditEntry.objects.filter(verb="router.add").count() == 1


def test_nothing_is_entered_that_was_not_asked(far: SimRouter) -> None:
    tenant = factories.tenant_make()
    page = Desk(tenant).enter().content.decode()
    assert "Check the router first." in page
    with inside(tenant):
        assert not Router.objects.exists()


def test_a_wrong_password_is_told_and_not_shown_again(far: SimRouter) -> None:
    tenant = factories.tenant_make()
    desk = Desk(tenant)
    page = desk.ask(far, password="wrong-7f3a").content.decode()
    assert "does not take this user name and password" in page
    assert "wrong-7f3a" not in page
    assert 'value="Hill"' in page
    desk.enter()
    with inside(tenant):
        assert not Router.objects.exists()


def test_the_password_of_an_asked_router_lies_sealed_in_the_session(far: SimRouter) -> None:
    desk = Desk(factories.tenant_make())
    desk.ask(far)
    kept = [one.get_decoded() for one in WebSession.objects.all()]
    assert any("router_asked" in one for one in kept)
    assert PASSWORD not in str(kept)


def test_a_router_that_does_not_answer_says_so(far: SimRouter) -> None:
    page = Desk(factories.tenant_make()).ask(far, port=1).content.decode()
    assert "Nothing answers there." in page


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "http://router", "a b"])
def test_an_address_no_router_has_is_refused(far: SimRouter, host: str) -> None:
    assert Desk(factories.tenant_make()).ask(far, host=host).status_code == 422


def test_this_machine_is_no_router_in_production(far: SimRouter, settings: Any) -> None:
    settings.ROUTERS_MAY_BE_LOCAL = False
    assert Desk(factories.tenant_make()).ask(far).status_code == 422


def test_whoever_asks_and_asks_is_stopped(far: SimRouter) -> None:
    desk = Desk(factories.tenant_make())
    desk.ask(far)
    Tries.objects.update(count=1000)
    assert desk.ask(far).status_code == 422


def test_a_technician_does_not_enter_routers(far: SimRouter) -> None:
    assert Desk(factories.tenant_make(), "technician").ask(far).status_code == 403


def test_the_password_does_not_follow_a_router_to_another_address(place: Place) -> None:
    reached = {"host": "10.0.0.9", "port": 8728, "use_tls": False, "username": "billing"}
    with place.inside(), pytest.raises(DomainError) as refused:
        router_edit(router_id=place.router.id, name="x", actor=factories.ACTOR, **reached)
    assert refused.value.code == "router.password"


def test_a_new_name_needs_no_password(place: Place) -> None:
    row = place.router
    values = {"name": "Valley", "host": row.host, "port": row.port, "username": row.username}
    answer = Desk(place.tenant).client.post(f"/dashboard/routers/{row.id}/edit/", values)
    assert answer.status_code == 302
    with place.inside():
        kept = Router.objects.get()
    assert (kept.name, kept.password.reveal()) == ("Valley", PASSWORD)


def test_a_router_that_is_left_alone_is_not_spoken_to(place: Place) -> None:
    with place.inside():
        router_switch(router_id=place.router.id, is_enabled=False, actor=factories.ACTOR)
    assert place.converge() == "busy"
    with place.inside():
        router_switch(router_id=place.router.id, is_enabled=True, actor=factories.ACTOR)
    assert place.converge() == "done"


def test_a_router_with_lines_stays(place: Place) -> None:
    with place.inside(), pytest.raises(Conflict) as refused:
        router_remove(router_id=place.router.id, actor=factories.ACTOR)
    assert refused.value.code == "router.lines"


def test_a_router_without_lines_goes(place: Place) -> None:
    with place.inside():
        empty = factories.router_make()
        router_remove(router_id=empty.id, actor=factories.ACTOR)
        assert not Router.objects.filter(id=empty.id).exists()
        assert AuditEntry.objects.filter(verb="router.remove").count() == 1


# --- Sessions -------------------------------------------------------------------------------------------------


def online(place: Place) -> Session:
    place.pay()
    place.converge()
    until(place.far.truth)
    place.converge()
    with place.inside():
        return Session.objects.get(stopped_at=None)


def test_a_session_that_is_ended_dials_again_at_what_is_paid_for(place: Place) -> None:
    first = online(place)
    desk = Desk(place.tenant, "technician")
    desk.client.post(f"/dashboard/sessions/{first.id}/end/")
    place.converge()
    until(place.far.truth)
    place.converge()
    with place.inside():
        ended = Session.objects.get(id=first.id)
        assert ended.end == Session.End.RENEWED
        assert Session.objects.filter(stopped_at=None).exclude(id=first.id).count() == 1
        assert AuditEntry.objects.filter(verb="line.redial").count() == 1
    assert place.on_router()["profile"] == "isp-10000k-5000k"


def test_a_session_a_cut_ended_says_so(place: Place) -> None:
    first = online(place)
    place.let_pass(days=31)
    place.converge()
    until(lambda: place.converge() and _is_stopped(place, first))
    with place.inside():
        assert Session.objects.get(id=first.id).end == Session.End.CUT


def _is_stopped(place: Place, session: Session) -> bool:
    with place.inside():
        return Session.objects.filter(id=session.id, stopped_at__isnull=False).exists()


def test_a_line_is_not_made_to_dial_again_and_again(place: Place) -> None:
    online(place)
    for _ in range(3):
        with place.inside():
            line_redial(line_id=place.line.id, actor=factories.ACTOR)
        place.converge()
        until(place.far.truth)
    with place.inside(), pytest.raises(TooMany):
        line_redial(line_id=place.line.id, actor=factories.ACTOR)


def test_asking_a_router_wakes_it_from_its_rest(place: Place) -> None:
    place.far.power(False)
    assert (place.converge(), place.converge()) == ("away", "resting")
    with place.inside():
        line_ask(line_id=place.line.id)
    assert place.converge() == "away"


@pytest.mark.parametrize("query", ["jane", "Wanjiku", "AA:BB", "aa:bb:cc", ""])
def test_a_session_is_found_by_name_customer_address_and_mac(place: Place, query: str) -> None:
    session = online(place)
    page = Desk(place.tenant).client.get("/dashboard/sessions/", {"q": query}).content.decode()
    assert re.search(rf">{re.escape(session.address)}<", page)


def test_a_session_nobody_asked_for_is_not_found(place: Place) -> None:
    session = online(place)
    desk = Desk(place.tenant)
    page = desk.client.get("/dashboard/sessions/", {"q": "nobody"}).content.decode()
    assert session.address not in page
    assert "No session of that kind" in page
    other = factories.tenant_make()
    assert session.address not in Desk(other).client.get("/dashboard/sessions/").content.decode()


def test_the_customers_panel_shows_line_and_session(place: Place) -> None:
    session = online(place)
    with place.inside():
        line = Line.objects.get()
    page = Desk(place.tenant).client.get(f"/dashboard/customers/{line.customer_id}/line/").content.decode()
    assert session.address in page
    assert f'data-live="customer:{line.customer_id}"' in page
    assert "Check the router now" in page
