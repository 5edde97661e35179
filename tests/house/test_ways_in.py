"""The ways in by what can be guessed: who tries too often waits, nobody learns who is known, nothing opens twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.services import guess_limits, letter_limits, tries_count
from accounts.services.tries import ADDRESS, LETTERS, LETTERS_OF_NAME, NAME
from portal.services.entrance import CODES, CODES_OF_CUSTOMERS, CODES_PER_PHONE, code_limits
from tests import factories
from tests.accounts.test_second_factor import code_of, switched_on
from tests.house.test_secrets import Ears, ears, rows_in_clear
from tests.house.ways import (
    ELSEWHERE,
    GUESSED,
    HERE,
    NOBODYS,
    PHONE,
    Guessed,
    Place,
    forgotten,
    is_on,
    plain,
    wrong_of,
)

__all__ = ["ears"]

guessed = pytest.mark.parametrize("way", GUESSED, ids=lambda way: way.title)
codes = pytest.mark.parametrize("way", [one for one in GUESSED if one.is_code], ids=lambda way: way.title)


@guessed
def test_the_right_one_opens(way: Guessed, place: Place) -> None:
    assert is_on(way.knock(place, way.name, way.secret(place), HERE))


@guessed
def test_who_is_known_and_who_is_not_are_answered_alike(way: Guessed, place: Place) -> None:
    wrong = wrong_of(way, way.secret(place))
    one = way.knock(place, way.name, wrong, HERE)
    other = way.knock(place, way.nobody, wrong, HERE)
    assert (one.status_code, plain(one, way.name, wrong)) == (other.status_code, plain(other, way.nobody, wrong))
    assert not is_on(one)


@guessed
def test_after_so_many_wrong_ones_the_right_one_waits_too(way: Guessed, place: Place) -> None:
    right = way.secret(place)
    names = [way.name, *way.spellings]
    for number in range(way.most):
        assert not is_on(way.knock(place, names[number % len(names)], wrong_of(way, right), HERE))
    assert not is_on(way.knock(place, way.name, right, HERE))


@guessed
def test_one_name_is_not_tried_from_a_thousand_addresses(way: Guessed, place: Place) -> None:
    right = way.secret(place)
    for _ in range(NAME):
        tries_count(limits=guess_limits(name=(way.spellings or (way.name,))[0], address=ELSEWHERE)[2:])
    assert not is_on(way.knock(place, way.name, right, HERE))


@guessed
def test_one_address_does_not_try_a_thousand_names(way: Guessed, place: Place) -> None:
    right = way.secret(place)
    for _ in range(ADDRESS):
        tries_count(limits=guess_limits(name="x", address=HERE)[1:2])
    assert not is_on(way.knock(place, way.name, right, HERE))
    assert is_on(way.knock(place, way.name, right, ELSEWHERE))


@guessed
def test_whoever_gets_in_does_not_wipe_out_what_his_address_tried(way: Guessed, place: Place) -> None:
    """Or else he tries the names of others, and himself in between."""
    right = way.secret(place)
    for _ in range(ADDRESS - 1):
        tries_count(limits=guess_limits(name="x", address=HERE)[1:2])
    assert is_on(way.knock(place, way.name, right, HERE))
    tries_count(limits=guess_limits(name="x", address=HERE)[1:2])
    assert not is_on(way.knock(place, way.name, right if not way.is_code else "000000", HERE))


@codes
def test_a_code_opens_once(way: Guessed, place: Place) -> None:
    right = way.secret(place)
    assert [is_on(way.knock(place, way.name, right, HERE)) for _ in range(2)] == [True, False]


@codes
def test_a_code_grows_old(way: Guessed, place: Place) -> None:
    right = way.secret(place)
    place.later(way.life_s + 1)
    assert not is_on(way.knock(place, way.name, right, HERE))


@codes
def test_the_last_code_alone_counts_also_when_it_is_used_up(way: Guessed, place: Place) -> None:
    older, newer = way.secret(place), way.secret(place)
    assert not is_on(way.knock(place, way.name, older, HERE))
    assert is_on(way.knock(place, way.name, newer, HERE))
    assert not is_on(way.knock(place, way.name, older, HERE))


@guessed
def test_what_opens_is_kept_and_told_nowhere_in_clear(way: Guessed, place: Place, ears: Ears) -> None:
    right = way.secret(place)
    way.knock(place, way.name, wrong_of(way, right), HERE)
    answer = way.knock(place, way.name, right, HERE)
    written = re.compile(rf"(?<![\w.+/=-]){re.escape(right)}(?![\w+/=-])")
    assert not written.search(ears.text())
    assert not written.search(answer.content.decode())
    in_rows = [table for table, text in rows_in_clear().items() if written.search(text)]
    assert in_rows == (["sms_message"] if way.is_code else [])  # until it is sent, and shown to nobody


# --- Asking for codes and letters --------------------------------------------------------------------------------


ASKED: dict[str, tuple[str, str, int]] = {
    "portal:sign_in": ("/client/sign-in/", "phone", CODES_OF_CUSTOMERS),
    "portal:sign_up": ("/client/sign-up/", "phone", CODES),
    "api_portal:code": ("/api/auth/code", "phone", CODES),
    "api_portal:register": ("/api/auth/register", "phone", CODES),
}


def ask(place: Place, path: str, number: str, address: str = HERE) -> int:
    if path.startswith("/api/"):
        more = {"name": "Jane"} if path.endswith("register") else {}
        return int(place.program(address).post(path, {"phone": number, **more}).status_code)
    return int(place.browser(address).post(path, {"phone": number}).status_code)


@pytest.mark.parametrize("door", ASKED)
def test_one_address_asks_for_so_many_codes_and_no_more(door: str, place: Place) -> None:
    path, _name, most = ASKED[door]
    limits = code_limits(address=HERE, is_customers_page=most == CODES_OF_CUSTOMERS)
    for _ in range(most - 1):
        tries_count(limits=limits)
    assert [ask(place, path, PHONE) for _ in range(2)][1] == 429
    assert ask(place, path, PHONE, ELSEWHERE) in (202, 302)


@pytest.mark.parametrize("number", [PHONE, NOBODYS])
@pytest.mark.parametrize("door", ASKED)
def test_one_telephone_is_sent_so_many_codes_and_no_more(door: str, number: str, place: Place) -> None:
    path, _name, _most = ASKED[door]
    asked = [ask(place, path, number, f"10.7.1.{count}") for count in range(CODES_PER_PHONE + 1)]
    assert set(asked[:-1]) <= {202, 302}
    assert asked[-1] in (400, 422, 429)


@pytest.mark.parametrize("email", ["amina@example.org", "nobody@example.org"])
def test_one_name_is_sent_so_many_letters_and_no_more(email: str, place: Place) -> None:
    for _ in range(LETTERS_OF_NAME - 1):
        tries_count(limits=letter_limits(name=email.upper(), address=ELSEWHERE)[1:])
    assert [forgotten(place, email) for _ in range(2)] == [1, 0]


def test_one_address_asks_for_so_many_letters_and_no_more(place: Place) -> None:
    for _ in range(LETTERS):
        tries_count(limits=letter_limits(name="x", address=HERE)[:1])
    assert forgotten(place, "amina@example.org") == 0
    assert forgotten(place, "amina@example.org", ELSEWHERE) == 1


# --- By the second factor ----------------------------------------------------------------------------------------


def half_in(place: Place) -> Client:
    browser = place.browser()
    assert "second-factor" in browser.post(
        "/account/login/", {"login": "amina@example.org", "password": factories.PASSWORD}
    ).get("Location", "")
    return browser


def show(browser: Client, code: str) -> Any:
    return browser.post("/account/second-factor/", {"code": code})


def test_a_code_of_the_second_factor_opens_once(place: Place) -> None:
    switched_on(place.staff.user)
    code = code_of(place.staff.user)
    assert is_on(show(half_in(place), code))
    assert not is_on(show(half_in(place), code))


def test_a_wrong_code_of_the_second_factor_makes_the_right_one_wait(place: Place) -> None:
    switched_on(place.staff.user)
    browser = half_in(place)
    show(browser, "000000")
    assert not is_on(show(browser, code_of(place.staff.user)))


def test_recovery_codes_open_once_and_are_kept_hashed(place: Place, ears: Ears) -> None:
    [recovery, *_] = switched_on(place.staff.user)
    assert [is_on(show(half_in(place), recovery)) for _ in range(2)] == [True, False]
    kept = "\n".join(rows_in_clear().values()) + ears.text()
    assert recovery not in kept
    assert recovery.replace("-", "") not in kept
