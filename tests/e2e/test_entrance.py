"""Staff at the door: password, code, a wrong one, and one that was used."""

from __future__ import annotations

from binascii import unhexlify
from datetime import timedelta

import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, expect

from accounts.models import TotpDevice
from accounts.services import staff_create
from ispbilling.kernel import clock
from tests.browser import Tab, tab_open
from tests.e2e.town import ACTOR, Town, sign_in
from tests.factories import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

EMAIL = "careful@example.org"
FACTOR = "/dashboard/account/second-factor/"


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows now, or some steps of 30 seconds from now."""
    return f"{totp(unhexlify(secret), t0=-30 * steps):06d}"


def secret_of(town: Town) -> str:
    def read() -> str:
        return TotpDevice.objects.get(user__email=EMAIL).key.reveal()

    return str(town.inside(read))


def wait_over(town: Town) -> None:
    """As if the wait after a wrong code were over."""

    def forget() -> None:
        earlier = clock.machine_now() - timedelta(hours=1)
        TotpDevice.objects.filter(user__email=EMAIL).update(throttling_failure_timestamp=earlier)

    town.inside(forget)


def type_code(tab: Tab, code: str) -> None:
    tab.page.fill("main input[name=code]", code)
    tab.page.press("main input[name=code]", "Enter")
    tab.page.wait_for_load_state("load")


def test_a_person_signs_in_with_a_code_not_with_a_wrong_one_and_with_none_twice(town: Town, browser: Browser) -> None:
    town.inside(lambda: staff_create(email=EMAIL, password=PASSWORD, role="admin", actor=ACTOR))
    with tab_open(browser, base_url=town.url) as tab:
        sign_in(tab, EMAIL)
        tab.open(FACTOR)
        tab.page.click("button[name=action][value=begin]")
        tab.page.wait_for_selector(".secret-text")
        # The code of the step before, so that the present one is still good at the door.
        tab.page.fill("main input[name=code]", code_of(secret_of(town), -1))
        tab.page.click("button[name=action][value=confirm]")
        tab.page.wait_for_load_state("load")
    with tab_open(browser, base_url=town.url) as tab:
        tab.expected = {422}
        sign_in(tab, EMAIL)
        assert "/account/second-factor/" in tab.page.url
        type_code(tab, "000000")
        expect(tab.page.locator("main, body").first).to_contain_text("That code is wrong")
        wait_over(town)
        used = code_of(secret_of(town))
        type_code(tab, used)
        tab.page.wait_for_url("**/dashboard/**")
    with tab_open(browser, base_url=town.url) as tab:
        tab.expected = {422}
        sign_in(tab, EMAIL)
        type_code(tab, used)
        expect(tab.page.locator("body")).to_contain_text("was used before")
        tab.open("/dashboard/")
        assert "/account/" in tab.page.url
