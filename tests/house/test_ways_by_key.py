"""The ways in by keys, which open as often as they are meant to; and that no way is forgotten.

Every address that is open to everybody leads by a way of ``ways``, or stands in ``NO_WAY`` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests import factories
from tests.house import permissions
from tests.house.test_secrets import Ears, ears, rows_in_clear
from tests.house.ways import (
    GUESSED,
    KEYS,
    NEW,
    Key,
    Place,
    is_open,
    plain,
    reset,
    reset_link,
    tokens_of,
    with_token,
)
from tests.house.world import PUBLIC

__all__ = ["ears"]

keys = pytest.mark.parametrize("way", KEYS, ids=lambda way: way.title)


@keys
def test_a_key_opens_as_often_as_it_is_meant_to(way: Key, place: Place) -> None:
    key = way.make(place)
    assert [is_open(way.knock(place, key)) for _ in range(2)] == [True, not way.is_once]


@keys
def test_a_key_that_is_a_letter_off_is_answered_as_one_of_nobody(way: Key, place: Place) -> None:
    key = way.make(place)
    middle = len(key) // 2
    off = key[:middle] + ("a" if key[middle] != "a" else "b") + key[middle + 1 :]
    # What kind of key it is stands in its first letters.
    nobodys = key[:8] + "".join("c" if letter.isalnum() else letter for letter in key[8:])
    one, other = way.knock(place, off), way.knock(place, nobodys)
    assert not is_open(one)
    assert (one.status_code, plain(one, off)) == (other.status_code, plain(other, nobodys))


@pytest.mark.parametrize("way", [one for one in KEYS if one.life_s], ids=lambda way: way.title)
def test_a_key_grows_old(way: Key, place: Place) -> None:
    key = way.make(place)
    place.later((way.life_s or 0) + 1)
    assert not is_open(way.knock(place, key))


def test_a_link_to_a_new_password_opens_for_a_day(place: Place) -> None:
    key = reset_link(place)
    assert place.settings.PASSWORD_RESET_TIMEOUT == 86_400
    place.settings.PASSWORD_RESET_TIMEOUT = -1  # its time is the machine's own
    assert not is_open(reset(place, key))


@keys
def test_a_key_is_kept_and_told_nowhere_in_clear(way: Key, place: Place, ears: Ears) -> None:
    key = way.make(place)
    assert key not in ears.text()
    assert {table for table, text in rows_in_clear().items() if key in text} == way.in_clear
    for browser in (place.browser(), Client(HTTP_HOST=place.host, enforce_csrf_checks=True)):
        for path in (f"/account/invitation/{key}/", f"/account/password/reset/key/{key}/", f"/hooks/p/{key}/x/y"):
            browser.post(path)  # refused: missing, without the form's token
    way.knock(place, key)
    way.knock(place, key)
    assert key not in ears.text()
    assert {table for table, text in rows_in_clear().items() if key in text} <= way.in_clear | {"django_session"}


# --- Who is thrown out -------------------------------------------------------------------------------------------


def _own_page(place: Place) -> None:
    browser = place.browser()
    browser.force_login(User.objects.get(id=place.staff.user_id), "allauth.account.auth_backends.AuthenticationBackend")
    sent = {"action": "password", "password": factories.PASSWORD, "new": NEW, "again": NEW}
    answer = browser.post("/dashboard/account/", sent)
    assert answer.status_code == 302, answer.content.decode()


@pytest.mark.parametrize("change", [_own_page, lambda place: reset(place, reset_link(place))], ids=["changed", "reset"])
def test_another_password_ends_the_programs_that_came_in_with_the_old_one(
    change: Callable[[Place], Any], place: Place
) -> None:
    tokens = tokens_of(place)
    assert with_token(place, tokens["access_token"]).status_code == 200
    change(place)
    assert with_token(place, tokens["access_token"]).status_code == 401
    assert place.program().post("/api/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 401


# --- None is forgotten -------------------------------------------------------------------------------------------

NO_WAY = {
    "root": "sends on",
    "brand_css": "colours",
    "brand_logo": "a picture",
    "healthz": "says that it lives",
    "readyz": "says that it is ready",
    "account_language": "sets a cookie",
    "account_logout": "leads out",
    "account_inactive": "a text",
    "account_change_password": "behind the sign-in",
    "account_reauthenticate": "behind the sign-in",
    "account_signup": "says that it is closed",
    "account_second_factor": "behind the password; walked above",
    "payments_mpesa_alias": "believed only after the gateway was asked",
    "portal:sign_out": "leads out",
    "portal:manifest": "a file",
    "portal:worker": "a file",
    "portal:offline": "a text",
    "api_portal:logout": "leads out",
    "api:schema": "a document",
    "api:docs": "a document",
}


def test_every_open_address_is_a_way_that_is_walked_or_none() -> None:
    walked = {name for way in [*GUESSED, *KEYS] for name in way.addresses}
    opened = {one.name for one in PUBLIC} | set(permissions.API_PUBLIC)
    assert opened - walked - set(NO_WAY) == set()
    assert set(NO_WAY) - opened == set()
