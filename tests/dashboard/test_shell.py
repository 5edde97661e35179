"""What stands around every page of the staff."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from billing.models import CutStop
from ispbilling.kernel import clock, counters
from ispbilling.kernel.money import Money
from ispbilling.kernel.templatetags import show
from tests import factories

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def signed_in(tenant: Any, settings: Any) -> Any:
    settings.ALLOWED_HOSTS = [".localhost"]
    cache.clear()

    def sign_in(role: str) -> Client:
        browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
        browser.force_login(factories.staff_make(tenant, role).user, BACKEND)
        return browser

    return sign_in


def links(page: Any) -> dict[str, str]:
    """Address → the whole link, of the sidebar."""
    sidebar = re.search(r'<nav class="sidebar".*?</nav>', page.content.decode(), re.S)
    assert sidebar is not None
    return {found[1]: found[0] for found in re.finditer(r'<a href="([^"]+)".*?</a>', sidebar[0], re.S)}


def stop() -> None:
    CutStop.objects.create(cause=CutStop.Cause.BRAKE, would_cut=40, of_active=50, opened_at=clock.now())


# --- Navigation -------------------------------------------------------------------------------------------------


def test_one_sees_the_entries_of_ones_role(signed_in: Any) -> None:
    assert "/dashboard/audit/" in links(signed_in("owner").get("/dashboard/"))
    support = links(signed_in("support").get("/dashboard/"))
    assert "/dashboard/customers/" in support
    assert "/dashboard/audit/" not in support


@pytest.mark.parametrize(
    ("path", "entry", "word"),
    [
        ("/dashboard/", "/dashboard/", "page"),
        ("/dashboard/customers/", "/dashboard/customers/", "page"),
        ("/dashboard/customers/new/", "/dashboard/customers/", "true"),
        ("/dashboard/settings/suspension/", "/dashboard/settings/suspension/", "page"),
    ],
)
def test_the_entry_of_a_page_is_marked(path: str, entry: str, word: str, signed_in: Any) -> None:
    found = links(signed_in("owner").get(path))
    assert [address for address, link in found.items() if "aria-current" in link] == [entry]
    assert f'aria-current="{word}"' in found[entry]


# --- Counters and the bell --------------------------------------------------------------------------------------


def test_what_waits_for_a_person_is_counted_beside_its_entry(signed_in: Any) -> None:
    stop()
    page = signed_in("owner").get("/dashboard/")
    assert '<span class="badge-count badge-count-bad">1</span>' in links(page)["/dashboard/cuts/"]
    assert "Alerts: something is wrong" in page.content.decode()


def test_the_bell_is_quiet_when_nothing_is_wrong(signed_in: Any) -> None:
    page = signed_in("owner").get("/dashboard/").content.decode()
    assert '<span class="visually-hidden">Alerts</span>' in page
    assert "Alerts: something is wrong" not in page


def test_one_is_not_told_of_what_one_may_not_see(signed_in: Any) -> None:
    stop()
    page = signed_in("technician").get("/dashboard/").content.decode()
    assert "Alerts:" not in page
    assert '<span class="visually-hidden">Alerts</span>' not in page


def test_counts_are_asked_for_in_one_statement_and_then_kept(tenant: Any) -> None:
    counters.forget(tenant.id)
    with CaptureQueriesContext(connection) as asked:
        first = counters.counts_of(tenant.id)
        stop()
        assert counters.counts_of(tenant.id) == first == {**first, "billing:cuts": 0}
    assert len([one for one in asked if one["sql"].startswith("SELECT (SELECT count(*)")]) == 1
    counters.forget(tenant.id)
    assert counters.counts_of(tenant.id)["billing:cuts"] == 1


# --- Looks and language -----------------------------------------------------------------------------------------


def test_the_theme_button_works_without_scripts(signed_in: Any) -> None:
    browser = signed_in("owner")
    answer = browser.post("/dashboard/account/", {"action": "theme", "theme": "light", "next": "/dashboard/customers/"})
    assert answer["Location"] == "/dashboard/customers/"
    assert 'data-bs-theme="light"' in browser.get("/dashboard/").content.decode()


def test_whoever_chose_nothing_gets_the_colours_of_his_device(signed_in: Any) -> None:
    answer = signed_in("owner").get("/dashboard/", headers={"Sec-CH-Prefers-Color-Scheme": '"light"'})
    assert 'data-bs-theme="light"' in answer.content.decode()
    assert answer["Accept-CH"] == "Sec-CH-Prefers-Color-Scheme"


def test_the_language_menu_keeps_ones_language(signed_in: Any) -> None:
    browser = signed_in("owner")
    browser.post("/dashboard/account/", {"action": "language", "language": "bn", "next": "/dashboard/"})
    assert '<html lang="bn"' in browser.get("/dashboard/").content.decode()


def test_no_form_leads_to_another_site(signed_in: Any) -> None:
    browser, away = signed_in("owner"), "https://evil.example.org/"
    answer = browser.post("/dashboard/account/", {"action": "theme", "theme": "dark", "next": away})
    assert answer["Location"] == "/dashboard/account/"
    assert browser.post("/account/language/", {"language": "sw", "next": away})["Location"] == "/"


def test_visitors_keep_their_language_in_a_cookie(client: Client, db: None) -> None:
    answer = client.post("/account/language/", {"language": "sw", "next": "/account/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/login/")
    assert '<html lang="sw"' in client.get("/account/login/").content.decode()


def test_a_language_nobody_speaks_here_is_refused(client: Client, db: None) -> None:
    assert client.post("/account/language/", {"language": "xx"}).status_code == 400


# --- Command palette, shortcuts, style guide --------------------------------------------------------------------


def test_the_palette_finds_customers_by_a_few_letters(signed_in: Any, tenant: Any) -> None:
    customer = factories.customer_make(name="Wanjiku Njeri")
    page = signed_in("support").get("/dashboard/palette/?q=njer").content.decode()
    assert f'href="/dashboard/customers/{customer.id}/"' in page
    assert "Wanjiku Njeri" in page


@pytest.mark.parametrize("query", ["", "n", "zzzz"])
def test_the_palette_finds_nobody_by_too_little(query: str, signed_in: Any) -> None:
    factories.customer_make(name="Wanjiku Njeri")
    assert "option" not in signed_in("support").get("/dashboard/palette/", {"q": query}).content.decode()


def test_the_palette_shows_no_more_than_one_can_take_in(signed_in: Any) -> None:
    for number in range(10):
        factories.customer_make(name=f"Wanjiku {number}")
    assert signed_in("support").get("/dashboard/palette/?q=wanj").content.decode().count('role="option"') == 8


def test_the_palette_offers_what_the_role_may_do(signed_in: Any) -> None:
    assert 'href="/dashboard/staff/invite/"' in signed_in("owner").get("/dashboard/").content.decode()
    assert 'href="/dashboard/staff/invite/"' not in signed_in("support").get("/dashboard/").content.decode()


def test_shortcuts_and_dense_tables_are_ones_own_to_choose(signed_in: Any) -> None:
    browser = signed_in("owner")
    page = browser.get("/dashboard/").content.decode()
    assert 'data-shortcuts="on"' in page
    assert "density-compact" not in page
    browser.post("/dashboard/account/", {"action": "looks", "density": "compact", "shortcuts": "off"})
    page = browser.get("/dashboard/").content.decode()
    assert 'data-shortcuts="off"' in page
    assert "density-compact" in page
    browser.post("/dashboard/account/", {"action": "density", "density": "comfortable"})
    assert "density-compact" not in browser.get("/dashboard/").content.decode()


def test_the_style_guide_shows_every_component(signed_in: Any, settings: Any) -> None:
    page = signed_in("technician").get("/dashboard/styleguide/").content.decode()
    whole = {"account_fields", "language", "messages", "pager", "problem", "spark", "chart_scripts"}  # of certain pages
    for file in (settings.BASE_DIR / "templates/components").glob("*.html"):
        assert file.stem in whole or f"components/{file.name}" in page, file.name


def test_the_style_guide_shows_forms_with_errors(signed_in: Any) -> None:
    page = signed_in("owner").get("/dashboard/styleguide/?name=").content.decode()
    assert 'aria-invalid="true"' in page


# --- Numbers and dates by language ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "KES 1,234,567.50"),
        ("sw", "KES 1,234,567.50"),
        ("fil", "KES 1,234,567.50"),
        ("bn", "KES 12,34,567.50"),
    ],
)
def test_money_is_written_as_the_language_groups_it(language: str, written: str) -> None:
    with translation.override(language):
        assert show.money(Money(Decimal("1234567.50"), "KES")) == written


def test_months_are_named_in_the_language() -> None:
    at = datetime(2026, 3, 24, 15, 5, tzinfo=UTC)
    with translation.override("en"):
        assert show.local_time(at, "Africa/Nairobi") == "24 Mar 2026, 18:05"
    with translation.override("bn"):
        assert show.local_time(at, "Asia/Dhaka") == "24 মার্চ 2026, 21:05"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Esther Auma", "EA"), ("esther.auma@savanna.example", "EA"), ("owner@savanna.example", "OW"), ("", "?")],
)
def test_a_face_nobody_drew_has_two_letters(name: str, letters: str) -> None:
    assert show.initials(name) == letters
