"""A person's own account: sessions, password, looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.agents import device
from accounts.models import SignIn, User
from ispbilling.kernel.models import AuditEntry
from tests import factories

OWN = "/dashboard/account/"
PHONE = "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


@pytest.fixture
def owner(tenant: Any, settings: Any) -> User:
    settings.ALLOWED_HOSTS = [".localhost"]
    cache.clear()
    user: User = factories.staff_make(tenant, "owner", "owner@example.org").user
    return user


def signed_in(tenant: Any, agent: str = "", address: str = "10.1.1.1") -> Client:
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost", HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    answer = browser.post("/account/login/", {"login": "owner@example.org", "password": factories.PASSWORD})
    assert answer["Location"] == "/dashboard/"
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/dashboard/").status_code == 200


def test_each_session_is_shown_with_device_address_and_instant(tenant: Any, owner: User) -> None:
    here = signed_in(tenant, "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0")
    signed_in(tenant, PHONE, "10.2.2.2")
    page = here.get(OWN).content.decode()
    for told in ("Firefox on Linux", "Chrome on Android", "10.1.1.1", "10.2.2.2", "last seen"):
        assert told in page


def test_one_session_is_ended_and_the_others_go_on(tenant: Any, owner: User) -> None:
    here, lost, third = signed_in(tenant), signed_in(tenant, PHONE, "10.2.2.2"), signed_in(tenant)
    row = SignIn.objects.get(address="10.2.2.2")
    here.post(OWN, {"action": "end", "session": str(row.id)})
    assert (is_in(here), is_in(lost), is_in(third)) == (True, False, True)
    assert AuditEntry.objects.filter(verb="session.end", actor=f"user:{owner.id}").count() == 1


def test_all_others_are_ended_at_once(tenant: Any, owner: User) -> None:
    here, one, two = signed_in(tenant), signed_in(tenant), signed_in(tenant)
    here.post(OWN, {"action": "end_others"})
    assert (is_in(here), is_in(one), is_in(two)) == (True, False, False)


def test_nobody_ends_the_session_of_another(tenant: Any, owner: User) -> None:
    signed_in(tenant)
    stranger = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    stranger.force_login(
        factories.staff_make(tenant, "admin").user, "allauth.account.auth_backends.AuthenticationBackend"
    )
    row = SignIn.objects.get(user=owner)
    assert stranger.post(OWN, {"action": "end", "session": str(row.id)}).status_code == 404
    assert SignIn.objects.filter(id=row.id).exists()


def test_a_changed_password_ends_all_other_sessions_and_keeps_this_one(tenant: Any, owner: User) -> None:
    here, other = signed_in(tenant), signed_in(tenant)
    form = {
        "action": "password",
        "password": factories.PASSWORD,
        "new": "three-brown-geese",
        "again": "three-brown-geese",
    }
    assert here.post(OWN, form).status_code == 302
    assert (is_in(here), is_in(other)) == (True, False)
    assert here.get(OWN).content.decode().count("last seen") == 1
    owner.refresh_from_db()
    assert owner.check_password("three-brown-geese")


@pytest.mark.parametrize(
    "change",
    [{"password": "wrong"}, {"new": "short", "again": "short"}, {"again": "another-one-altogether"},
     {"new": "password123", "again": "password123"}, {"new": "", "again": ""}],
)  # fmt: skip
def test_a_password_is_not_changed_by_a_wrong_form(change: dict[str, str], tenant: Any, owner: User) -> None:
    here = signed_in(tenant)
    form = {
        "action": "password",
        "password": factories.PASSWORD,
        "new": "three-brown-geese",
        "again": "three-brown-geese",
    }
    answer = here.post(OWN, {**form, **change})
    assert answer.status_code == 422
    owner.refresh_from_db()
    assert owner.check_password(factories.PASSWORD)
    assert factories.PASSWORD not in answer.content.decode()


def test_a_password_reset_by_mail_ends_every_session(tenant: Any, owner: User) -> None:
    from django.core import mail

    here = signed_in(tenant)
    here.post("/account/password/reset/", {"email": "owner@example.org"})
    link = next(line for line in str(mail.outbox[0].body).split() if "/password/reset/key/" in line)
    path = "/" + link.split("/", 3)[3]
    stranger = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    form = stranger.get(path)["Location"]
    stranger.post(form, {"password1": "three-brown-geese", "password2": "three-brown-geese"})
    owner.refresh_from_db()
    assert owner.check_password("three-brown-geese")
    assert is_in(here) is False
    assert SignIn.objects.filter(user=owner).count() == 0


def test_language_and_theme_are_the_persons_on_every_device(tenant: Any, owner: User) -> None:
    signed_in(tenant).post(OWN, {"action": "looks", "theme": "light", "language": "sw", "name": "Amina"})
    page = signed_in(tenant, PHONE).get("/dashboard/")
    assert 'data-bs-theme="light"' in page.content.decode()
    assert page["Content-Language"] == "sw"
    assert "Amina" in page.content.decode()


def test_the_button_of_the_top_bar_keeps_the_theme_too(tenant: Any, owner: User) -> None:
    here = signed_in(tenant)
    here.post(OWN, {"action": "theme", "theme": "light"})
    assert 'data-bs-theme="light"' in signed_in(tenant).get("/dashboard/").content.decode()


def test_a_session_in_use_is_seen_and_an_idle_one_is_not(tenant: Any, owner: User, settings: Any) -> None:
    settings.SEEN_EVERY_S = 300
    here = signed_in(tenant, address="10.1.1.1")
    row = SignIn.objects.get()
    SignIn.objects.update(seen_at=row.seen_at - timedelta(minutes=10))
    here.get("/dashboard/", REMOTE_ADDR="10.9.9.9")
    now = SignIn.objects.get()
    assert now.seen_at >= row.seen_at
    assert now.address == "10.9.9.9"
    here.get("/dashboard/", REMOTE_ADDR="10.8.8.8")
    assert SignIn.objects.get().address == "10.9.9.9"


def test_signing_out_forgets_the_session(tenant: Any, owner: User) -> None:
    here = signed_in(tenant)
    here.post("/account/logout/")
    assert SignIn.objects.count() == 0


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (PHONE, "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36 Edg/120", "Edge on Windows"),
        ("curl/8.1", "curl/8.1"),
        ("", "A program that does not say its name"),
    ],
)
def test_a_browser_is_named_in_words(agent: str, said: str) -> None:
    assert device(agent) == said
