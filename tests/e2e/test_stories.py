"""What staff do in a morning, in a browser, with everything behind it real."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from billing.models import Subscription
from tests.browser import Tab
from tests.e2e.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

#: Workers, a router that redials, and a machine that does other things.
COMES_TRUE_MS = 180_000


def test_a_line_is_sold_and_seen_to_come_online_without_reloading(town: Town, browser: Browser) -> None:
    with town.visit(browser, "owner") as tab:
        page = tab.page
        tab.open("/dashboard/customers/new/")
        page.fill("main input[name=name]", "Mwende Kioko")
        page.fill("main input[name=phone]", "0733000001")
        page.select_option("main select[name=package]", label="Home 10 · KES 1,500.00")
        page.select_option("main select[name=router]", label="tower")
        page.get_by_role("button", name="Open the line").click()
        page.get_by_role("link", name="To the customer").click()
        page.wait_for_url("**/dashboard/customers/*-*/")
        tab.settle()
        page.get_by_role("link", name="Record a payment").first.click()
        page.fill("main input[name=amount]", "1500")
        page.get_by_role("button", name="What will it do?").click()
        page.get_by_role("button", name="Book it").click()
        page.wait_for_url("**/dashboard/customers/*-*/")
        tab.settle()
        page.evaluate("() => { window.isTheSamePage = true; }")
        town.dial_in("Mwende Kioko")
        line = page.locator("section", has=page.get_by_role("heading", name="Line and session"))
        expect(line.locator(".pill", has_text="online").first).to_be_visible(timeout=COMES_TRUE_MS)
        assert page.evaluate("() => window.isTheSamePage === true")


def ends(town: Town) -> dict[str, object]:
    """When the paid neighbours run out."""

    def read() -> dict[str, object]:
        rows = Subscription.objects.filter(customer__name__startswith="Neighbour", state="active")
        return {row.customer.name: row.expires_at for row in rows.select_related("customer")}

    found: dict[str, object] = town.inside(read)
    return found


def done(tab: Tab, button: str) -> None:
    """Press it, and wait until the job says that it is over."""
    tab.page.get_by_role("button", name=button).click()
    expect(tab.page.locator("#bulk-live")).to_contain_text("Done.", timeout=COMES_TRUE_MS)


def test_all_that_a_filter_finds_are_extended_and_the_days_taken_back(town: Town, browser: Browser) -> None:
    before = ends(town)
    with town.visit(browser, "owner") as tab:
        page = tab.page
        tab.open("/dashboard/customers/?q=neighbour&standing=active")
        page.check("input[name=all]")
        page.select_option("#bulk-action", value="extend")
        page.get_by_role("button", name="Preview").click()
        page.fill("main input[name=days]", "2")
        page.fill("main input[name=reason]", "The mast was down")
        page.get_by_role("button", name="Show what it does").click()
        expect(page.locator("#bulk-live")).to_contain_text(f"{len(before)} customers are changed.")
        assert ends(town) == before
        done(tab, f"Do it to {len(before)} customers")
        assert ends(town) == {name: at + timedelta(days=2) for name, at in before.items()}
        page.get_by_role("button", name="Undo").click()
        done(tab, f"Do it to {len(before)} customers")
        assert ends(town) == before
