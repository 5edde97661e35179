"""A small provider with everything that pages show, in a house with real processes, for a browser to visit.

It works while the browser's loop occupies the thread of the tests: all it does to the books it does in a thread of its
own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connections
from playwright.sync_api import Browser

from accounts.models import Role
from accounts.services import staff_create
from billing.models import Subscription
from ispbilling.kernel.money import Money
from network.models import Line, Router
from network.services import line_open
from packages.models import Package
from payments.models import Payment, ProviderAccount
from payments.services import money_receive
from tests.browser import Tab, tab_open
from tests.factories import PASSWORD
from tests.faults.house import House, until
from tests.faults.scenario import Scenario

ACTOR = "system:e2e"
VISITOR, CUSTOMER = "visitor", "customer"
NEIGHBOURS = 30  # customers besides the three of the scenario: more than a page of a list holds


class Town:
    """``url`` is where the provider's pages are."""

    def __init__(self, house: House, blocker: Any) -> None:
        self.house = house
        self.scene = Scenario(house, "town", faults=[])
        self._blocker = blocker
        self._hand = ThreadPoolExecutor(1)
        self._sessions: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"http://{self.scene.slug}.localhost:{self.house.port}"

    # --- its books --------------------------------------------------------------------------------------------

    def aside(self, work: Callable[[], Any]) -> Any:
        """In the thread that may speak to the house's database."""

        def run() -> Any:
            with self.house.entered(self._blocker):
                return work()

        return self._hand.submit(run).result()

    def inside(self, work: Callable[[], Any]) -> Any:
        """In the tenant's context and a transaction."""
        return self.aside(lambda: self.scene.inside(work))

    def open(self) -> None:
        self.aside(self.scene.set_up)
        self.inside(self._staff)
        self.inside(self._neighbours)
        self.aside(lambda: self.scene.pay("anna"))
        until(lambda: self.inside(self._is_anna_served), 120, "Anna's line")

    @staticmethod
    def _staff() -> None:
        for role in Role.values:
            staff_create(email=f"{role}@example.org", password=PASSWORD, role=role, actor=ACTOR)

    @staticmethod
    def _neighbours() -> None:
        package = Package.objects.get(name="Home 10")
        router = Router.objects.get()
        cash = ProviderAccount.objects.get(provider="cash")
        for number in range(NEIGHBOURS):
            line = line_open(
                name=f"Neighbour {number}",
                phones=[f"07220000{number:02d}"],
                package_id=package.id,
                router_id=router.id,
                actor=ACTOR,
            )
            if number % 3:
                money_receive(
                    account_id=cash.id,
                    amount=Money(Decimal(1500), "KES"),
                    receipt=uuid4().hex[:12],
                    payer_text=line.customer.code,
                    actor=ACTOR,
                )

    def _is_anna_served(self) -> bool:
        return Subscription.objects.get(id=self.scene.lines["anna"].subscription_id).state == "active"

    # --- its boxes and telephones -----------------------------------------------------------------------------

    def dial_in(self, customer_name: str) -> None:
        """The customer plugs in his box, which has the user name and password of his line."""
        line = self.inside(lambda: Line.objects.get(customer__name=customer_name))
        router = self.scene.ends.routers["tower"]
        router.cpe_add(line.username, line.password.reveal(), f"AA:BB:CC:01:00:{line.id.int % 256:02X}")

    def texts(self, phone: str, words: str) -> list[str]:
        """What was sent to a telephone."""
        number = "+254" + phone[1:]
        sent = self.scene.ends.texts.messages
        return [one["text"] for one in sent if one["to"] == number and words in one["text"]]

    def code_of(self, phone: str) -> str:
        """The newest one-time code sent to a telephone."""
        text = until(lambda: self.texts(phone, "your code is"), 60, "the code")[-1]
        return re.findall(r"\b\d{6}\b", text)[0]

    def payments(self) -> list[Payment]:
        return self.inside(lambda: list(Payment.objects.order_by("created_at")))

    # --- its people in the browser ----------------------------------------------------------------------------

    @contextmanager
    def visit(self, browser: Browser, who: str = VISITOR, **context: Any) -> Iterator[Tab]:
        """A tab in which somebody is signed in: a role, ``customer`` or ``visitor``."""
        with tab_open(browser, base_url=self.url, storage_state=self.session(browser, who), **context) as tab:
            yield tab

    def session(self, browser: Browser, who: str) -> Any:
        if who == VISITOR:
            return None
        if who not in self._sessions:
            with tab_open(browser, base_url=self.url) as tab:
                self._sign_in_customer(tab) if who == CUSTOMER else sign_in(tab, f"{who}@example.org")
                self._sessions[who] = tab.page.context.storage_state()
        return self._sessions[who]

    def _sign_in_customer(self, tab: Tab) -> None:
        phone = "0712000000"
        tab.open("/client/sign-in/")
        tab.page.fill("input[name=phone]", phone)
        tab.page.press("input[name=phone]", "Enter")
        tab.page.wait_for_selector("input[name=code]")
        tab.page.fill("input[name=code]", self.code_of(phone))
        tab.page.press("input[name=code]", "Enter")
        tab.page.wait_for_url("**/client/")

    def close(self) -> None:
        self.aside(self.scene.close)
        self._hand.submit(connections.close_all).result()
        self._hand.shutdown()


def sign_in(tab: Tab, email: str, password: str = PASSWORD) -> None:
    """Give address and password at the staff's door."""
    tab.open("/account/login/")
    tab.page.fill("input[name=login]", email)
    tab.page.fill("input[name=password]", password)
    tab.page.press("input[name=password]", "Enter")
    tab.page.wait_for_url(lambda url: "/account/login/" not in url)
    tab.settle()
