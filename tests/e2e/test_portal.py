"""Customers in their browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from payments.models import Payment
from tests.browser import Tab
from tests.e2e.town import CUSTOMER, Town
from tests.faults.house import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

SMALL = {"width": 360, "height": 740}


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
