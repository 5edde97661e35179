"""Staff who keep their hands on the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]


def test_the_palette_finds_pages_and_customers(town: Town, browser: Browser) -> None:
    with town.visit(browser, "owner") as tab:
        page = tab.page
        palette = page.locator("#palette")
        tab.open("/dashboard/")
        page.keyboard.press("Control+k")
        expect(palette).to_be_visible()
        page.keyboard.type("routers")
        page.keyboard.press("Enter")
        page.wait_for_url("**/dashboard/routers/")
        tab.settle()
        page.keyboard.press("/")
        page.keyboard.type("neighbour 7")
        expect(palette.get_by_role("option", name="Neighbour 7")).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url("**/dashboard/customers/*-*/")
        tab.settle()
        page.keyboard.press("Control+k")
        page.keyboard.press("Escape")
        expect(palette).to_be_hidden()


def test_two_keys_lead_to_a_page_and_a_field_takes_them_as_letters(town: Town, browser: Browser) -> None:
    with town.visit(browser, "owner") as tab:
        page = tab.page
        tab.open("/dashboard/")
        page.keyboard.press("?")
        expect(page.locator("#shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#shortcuts")).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("c")
        page.wait_for_url("**/dashboard/customers/**")
        tab.settle()
        page.focus("main input[name=q]")
        page.keyboard.type("g c?")
        expect(page.locator("main input[name=q]")).to_have_value("g c?")
        expect(page.locator("#shortcuts")).to_be_hidden()
        assert "/dashboard/customers/" in page.url
