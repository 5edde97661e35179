"""Customers in their browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from payments.models import Payment
from tests.browser import Tab
from tests.e2e.town import CUSTOMER, Town
from tests.faults.house import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

SMALL = {"width": 360, "height": 740}
#: Workers, a gateway, and a machine that does other things.
COMES_TRUE_MS = 180_000


def is_paid(tab: Tab) -> bool:
    """Whether the page says so, asked for anew."""
    tab.page.reload()
    return "Thank you" in tab.page.inner_text("main")


def test_without_javascript_the_portal_still_takes_money(town: Town, browser: Browser) -> None:
    before = len(town.payments())
    with town.visit(browser, CUSTOMER, viewport=SMALL, java_script_enabled=False) as tab:
        tab.page.goto("/client/")
        tab.page.click("form[action='/client/pay/'] button[type=submit]")
        tab.page.wait_for_url("**/client/payments/**")
        until(lambda: is_paid(tab), 120, "the word that it is paid")
    made = town.payments()[before:]
    assert [one.state for one in made] == [Payment.State.SUCCEEDED]


def test_a_customer_signs_up_and_is_online_after_three_taps(town: Town, browser: Browser) -> None:
    phone = "0744000001"
    with town.visit(browser, viewport=SMALL, has_touch=True) as tab:
        page = tab.page
        tab.open("/client/sign-up/")
        page.fill("input[name=phone]", phone)
        page.get_by_role("button", name="Send me a code").tap()
        page.wait_for_selector("input[name=code]")
        page.fill("input[name=code]", town.code_of(phone))
        page.get_by_role("button", name="Go on").tap()
        page.wait_for_selector("input[name=name]")
        page.fill("input[name=name]", "Halima Noor")
        page.fill("input[name=address]", "Kibera, house 7")
        page.get_by_label("Home 10").check()
        page.get_by_role("button", name="Go on").tap()
        expect(page.get_by_role("heading", name="Type this into your box")).to_be_visible()
        town.dial_in("Halima Noor")
        taps = 0
        for name in ("Pay now and be online", "Pay"):
            page.locator("main").get_by_text(name, exact=True).tap()
            page.wait_for_load_state("load")
            taps += 1
        expect(page.get_by_text("Paid. Thank you.")).to_be_visible(timeout=COMES_TRUE_MS)
        page.get_by_role("link", name="My internet").first.tap()
        taps += 1
        page.wait_for_url("**/client/")
        assert taps == 3
        until(lambda: page.reload() and page.locator(".pill", has_text="online").count(), 180, "the line")
