"""The first hour of a new provider: from an empty house to money, through the pages alone, in so many clicks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from billing.models import Receipt, Subscription
from ispbilling.kernel import tenancy
from ispbilling.kernel.models import AuditEntry
from network.models import Router
from network.services import router_converge
from simulators.routeros import RouterFarm, SimRouter
from tests import factories

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
START, HOME = "/dashboard/start/", "/dashboard/"
#: Opening the page, a link for each of seven steps, one choice of a gateway and one of a message account, the customer
#: out of the list, the form for his money, and what each form asks to be pressed.
CLICKS = 21


@pytest.fixture
def far() -> Iterator[SimRouter]:
    farm = RouterFarm()
    farm.start()
    yield farm.add("r", users={"billing": "billing-api"}, redial_s=0.05)
    farm.stop()


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


class Walk:
    """Somebody before the pages, who follows links that are there and presses buttons of the page he is on."""

    def __init__(self, tenant: Any, role: str = "owner") -> None:
        self.client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
        self.client.force_login(factories.staff_make(tenant, role).user, BACKEND)
        self.clicks = 0
        self.at, self.page = HOME, self.client.get(HOME).content.decode()

    def follow(self, link: str) -> None:
        """``link`` is a pattern for the whole address."""
        found = re.search(rf'href="({link})"', self.page)
        assert found, f"no link {link} on {self.at}"
        address = found[1] if found[1].startswith("/") else self.at.partition("?")[0] + found[1]
        self._arrive(self.client.get(address, follow=True))

    def press(self, to: str = "", **typed: str) -> None:
        self._arrive(self.client.post(to or self.at, typed, follow=True))

    def _arrive(self, answer: Any) -> None:
        self.clicks += 1
        self.page = answer.content.decode()
        assert answer.status_code == 200, self.page[-3000:]
        self.at = answer.request["PATH_INFO"] + (
            f"?{answer.request['QUERY_STRING']}" if answer.request["QUERY_STRING"] else ""
        )

    def next(self) -> str:
        """The title of the step that is next, on the page of the steps."""
        self._arrive(self.client.get(START))
        self.clicks -= 1  # looked at for the test
        found = re.search(r'aria-current="step">.*?<h3[^>]*>([^<]*)<', self.page, re.S)
        return found[1].strip() if found else ""

    def offered(self, name: str) -> str:
        """The value of the first real choice of a field."""
        field = re.search(rf'<select name="{name}".*?</select>', self.page, re.S)
        assert field, f"no field {name}"
        return next(one for one in re.findall(r'value="([^"]+)"', field[0]) if one)

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no field {name}"
        return found[1]


def card(page: str) -> bool:
    return 'id="start-title"' in page


@pytest.mark.usefixtures("committed")
@pytest.mark.timeout(300)
def test_an_empty_house_takes_its_first_payment_within_so_many_clicks(far: SimRouter) -> None:
    tenant = factories.tenant_make()
    owner = Walk(tenant)
    owner.follow(START)

    assert owner.next() == "Say who you are"
    owner.follow("/dashboard/settings/")
    owner.press(name="Hill Net", support_phone="0712345678", zone="Africa/Nairobi", language="en")

    assert owner.next() == "Say how customers pay"
    owner.follow("/dashboard/settings/gateways/new/")
    owner.follow(r"[^\"]*\?provider=cash")
    owner.press(provider="cash", label="Cash")

    assert owner.next() == "Let messages reach customers"
    owner.follow("/dashboard/settings/messages/new/")
    owner.follow(r"[^\"]*\?channel=console")
    owner.press(channel="console", label="Log")

    assert owner.next() == "Connect a router"
    owner.follow("/dashboard/routers/new/")
    owner.press(
        name="Hill", host="127.0.0.1", port=str(far.port), username="billing", password="billing-api", action="ask"
    )
    owner.press(action="enter")
    with tenancy.tenant_context(tenant.id):
        with transaction.atomic():
            router = Router.objects.get()
        router_converge(router_id=router.id)

    assert owner.next() == "Make a package"
    owner.follow("/dashboard/packages/new/")
    owner.press(
        name="Home 10", price="1500", tax_class="standard", period_count="1", period_unit="month",
        download_mbps="10", upload_mbps="5", sort_order="0", is_active="on",
    )  # fmt: skip

    assert owner.next() == "Enter the first customer"
    owner.follow("/dashboard/customers/new/")
    package, chosen = owner.offered("package"), owner.offered("router")
    owner.press(name="Jane Wanjiku", phone="0723456789", package=package, router=chosen, username="")

    assert owner.next() == "Take the first payment"
    owner.follow("/dashboard/customers/")
    owner.follow(r"/dashboard/customers/[0-9a-f-]{36}/")
    owner.follow(r"/dashboard/customers/[0-9a-f-]{36}/cash/")
    key = owner.hidden("key")
    owner.press(amount="1500", way="cash", reference="", key=key)
    owner.press(amount="1500", way="cash", reference="", key=key, action="book")

    assert owner.next() == ""
    assert "All is done" in owner.page
    assert not card(owner.client.get(HOME).content.decode())
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        assert Receipt.objects.count() == 1
        assert Subscription.objects.get().state == Subscription.State.ACTIVE
    assert owner.clicks == CLICKS


# --- the card on the home page ----------------------------------------------------------------------------------


def test_the_home_page_of_a_leader_names_the_next_step(tenant: Any) -> None:
    page = Walk(tenant).page
    assert card(page)
    assert "Say who you are" in page
    assert "0 / 7" in page


@pytest.mark.parametrize("role", ["billing", "support", "technician"])
def test_nobody_else_has_the_card_and_everybody_may_read_the_steps(tenant: Any, role: str) -> None:
    walk = Walk(tenant, role)
    assert not card(walk.page)
    page = walk.client.get(START).content.decode()
    assert "Ask an owner or an administrator." in page
    assert 'href="/dashboard/settings/"' not in page


def test_a_leader_takes_the_card_off_and_puts_it_back_for_all(tenant: Any) -> None:
    owner, admin = Walk(tenant), Walk(tenant, "admin")
    owner.press("/dashboard/start/card/")
    assert not card(owner.page)
    assert not card(admin.client.get(HOME).content.decode())
    admin.press("/dashboard/start/card/", show="1")
    assert card(owner.client.get(HOME).content.decode())
    assert AuditEntry.objects.filter(verb="tenant.first_steps").count() == 2


def test_the_same_wish_again_is_no_change(tenant: Any) -> None:
    owner = Walk(tenant)
    owner.press("/dashboard/start/card/", show="1")
    assert AuditEntry.objects.filter(verb="tenant.first_steps").count() == 0
