"""What stands around every page of the staff."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from billing.models import CutStop
from ispbilling.kernel import clock, counters
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
    assert "Alerts: nothing is wrong" in signed_in("owner").get("/dashboard/").content.decode()


def test_one_is_not_told_of_what_one_may_not_see(signed_in: Any) -> None:
    stop()
    page = signed_in("technician").get("/dashboard/").content.decode()
    assert "Alerts" not in page


def test_counts_are_asked_for_in_one_statement_and_then_kept(tenant: Any, django_assert_num_queries: Any) -> None:
    counters.forget(tenant.id)
    with django_assert_num_queries(3):  # between a savepoint and its release
        first = counters.counts_of(tenant.id)
    with django_assert_num_queries(0):
        assert counters.counts_of(tenant.id) == first
    stop()
    assert counters.counts_of(tenant.id)["billing:cuts"] == 0
    counters.forget(tenant.id)
    assert counters.counts_of(tenant.id)["billing:cuts"] == 1


# --- Looks and language -----------------------------------------------------------------------------------------


def test_the_theme_button_works_without_scripts(signed_in: Any) -> None:
    browser = signed_in("owner")
    answer = browser.post("/dashboard/account/", {"action": "theme", "theme": "light", "next": "/dashboard/customers/"})
    assert answer["Location"] == "/dashboard/customers/"
    assert 'data-bs-theme="light"' in browser.get("/dashboard/").content.decode()


def test_the_language_menu_keeps_ones_language(signed_in: Any) -> None:
    browser = signed_in("owner")
    browser.post("/dashboard/account/", {"action": "language", "language": "bn", "next": "/dashboard/"})
    assert '<html lang="bn"' in browser.get("/dashboard/").content.decode()


def test_no_form_leads_to_another_site(signed_in: Any, client: Client) -> None:
    away = "https://evil.example.org/"
    answer = signed_in("owner").post("/dashboard/account/", {"action": "theme", "theme": "dark", "next": away})
    assert answer["Location"] == "/dashboard/account/"
    assert client.post("/account/language/", {"language": "sw", "next": away})["Location"] == "/"


def test_visitors_keep_their_language_in_a_cookie(client: Client, db: None) -> None:
    answer = client.post("/account/language/", {"language": "sw", "next": "/account/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/login/")
    assert '<html lang="sw"' in client.get("/account/login/").content.decode()


def test_a_language_nobody_speaks_here_is_refused(client: Client, db: None) -> None:
    assert client.post("/account/language/", {"language": "xx"}).status_code == 400
