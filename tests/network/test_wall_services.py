"""The wall through the services: what a tenant wants to be reachable, on his routers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from billing.services import policy_set
from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.models import AuditEntry
from network.models import Line, Router
from network.selectors import wall_destinations
from network.services import router_converge, wall_hosts_set
from simulators.routeros import RouterFarm, SimRouter
from tests import factories
from tests.network.conformance import until
from tests.network.other_routers import HABITS, OtherRouter
from tests.network.test_wall import FILTER, LISTS, NAT, ours

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(scope="module")
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@pytest.fixture
def far(farm: RouterFarm) -> Iterator[SimRouter]:
    router = farm.add("r", users={"billing": "billing-api"}, redial_s=0.05)
    yield router
    farm.remove("r")


class Provider:
    """A tenant with one line nobody has paid for, on a router at a port."""

    def __init__(self, port: int) -> None:
        with transaction.atomic():
            self.tenant = factories.tenant_make(domains=["pay.savanna.example"])
        with self:
            self.router = factories.router_make(port=port)
            self.line = factories.line_make(router=self.router, username="jane", password="pw")

    def audit(self) -> str:
        """A contact in which everything is compared."""
        with self:
            Router.objects.update(audited_at=None)
        return self.converge()

    def __enter__(self) -> None:
        self.contexts: list[Any] = [tenancy.tenant_context(self.tenant.id), transaction.atomic()]
        for context in self.contexts:
            context.__enter__()

    def __exit__(self, *error: Any) -> None:
        for context in reversed(self.contexts):
            context.__exit__(*error)

    def converge(self) -> str:
        with tenancy.tenant_context(self.tenant.id):
            return router_converge(router_id=self.router.id)

    def fresh(self) -> Router:
        with self:
            return Router.objects.get(id=self.router.id)


@pytest.fixture
def place(far: SimRouter, settings: Any) -> Provider:
    settings.PUBLIC_URL, settings.WALL_PAGE_ADDRESS = "https://billing.example.org", "203.0.113.7:8081"
    return Provider(far.port)


def test_who_has_not_paid_reaches_the_portal_and_nothing_else(place: Provider, far: SimRouter) -> None:
    far.cpe_add("jane", "pw", "AA:BB:CC:00:00:01")
    assert place.converge() == "done"
    until(lambda: [one for one in far.truth() if one["walled_lists"] == ["isp-walled"]])
    assert far.fate("jane", to="billing.example.org", port=443)["outcome"] == "accept"
    assert far.fate("jane", to="pay.savanna.example", port=443)["outcome"] == "accept"
    page = far.fate("jane", to="93.184.216.34")
    assert (page["outcome"], page["to"], page["port"]) == ("accept", "203.0.113.7", 8081)
    assert far.fate("jane", to="93.184.216.34", port=443)["outcome"] == "reject"
    assert place.fresh().wall_error == ""


def test_a_second_contact_writes_nothing(place: Provider, far: SimRouter) -> None:
    place.converge()
    far.journal_clear()
    place.converge()
    assert far.journal() == []


def test_hosts_of_the_tenant_are_reachable_and_written_down(place: Provider, far: SimRouter) -> None:
    with place:
        wall_hosts_set(hosts=" Checkout.Example.com\n\n198.51.100.0/24\ncheckout.example.com.", actor="user:1")
    place.converge()
    listed = {row["address"] for row in far.rows(LISTS)}
    assert {"checkout.example.com", "198.51.100.0/24"} < listed
    with place:
        entry = AuditEntry.objects.get(verb="wall.set")
        assert (entry.actor, entry.new) == ("user:1", {"hosts": "checkout.example.com\n198.51.100.0/24"})
        wall_hosts_set(hosts="", actor="user:1")
    place.converge()
    assert "checkout.example.com" not in {row["address"] for row in far.rows(LISTS)}


@pytest.mark.parametrize(
    "text", ["*.example.com", "http://example.com", "10.0.0.1/8", "0.0.0.0/0", "a b", "x" * 300, "-a.com", "::1"]
)
def test_what_is_no_destination_is_refused(place: Provider, text: str) -> None:
    with place, pytest.raises(DomainError, match="no host name") as refused:
        wall_hosts_set(hosts=f"good.example.com\n{text}", actor="user:1")
    assert list(refused.value.fields) == ["hosts"]


def test_a_tenant_who_blocks_has_no_wall(place: Provider, far: SimRouter) -> None:
    place.converge()
    assert ours(far)
    with place:
        policy_set(changes={"suspension_mode": "blocked"}, actor="user:1")
        Line.objects.update(level="blocked")
    place.audit()
    assert ours(far) + ours(far, NAT) + ours(far, LISTS) == []


def test_a_refused_rule_is_told_and_the_lines_go_on(place: Provider, far: SimRouter) -> None:
    far.fault_add("trap", at=f"{FILTER}/add", text="not permitted", times=None)
    assert place.converge() == "done"
    assert place.fresh().wall_error == "isp:wall:dns-udp-router: not permitted"
    assert [row["name"] for row in far.rows("/ppp/secret")] == ["jane"]
    far.faults_clear()
    place.audit()
    assert place.fresh().wall_error == ""


def test_a_router_without_a_firewall_has_its_lines(settings: Any) -> None:
    habits = HABITS["one that knows no tags"]
    other = OtherRouter(habits)
    place = Provider(other.port)
    assert place.converge() == "done"
    assert "no firewall" in place.fresh().wall_error
    with place:
        assert Line.objects.get().is_converged
    other.stop()


def test_without_a_page_address_there_is_a_wall_without_redirect(
    place: Provider, far: SimRouter, settings: Any
) -> None:
    settings.WALL_PAGE_ADDRESS = ""
    place.converge()
    assert ours(far)
    assert ours(far, NAT) == []


def test_an_address_the_list_cannot_hold_is_left_out(place: Provider, settings: Any) -> None:
    settings.PUBLIC_URL, settings.WALL_PAGE_ADDRESS = "http://[::1]:8000", ""
    with place:
        assert wall_destinations() == {"pay.savanna.example"}
