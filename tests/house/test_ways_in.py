"""Every way in, walked in one manner: who tries too often waits, nobody learns who is known, nothing opens twice.

``GUESSED`` are the ways by something short enough to be guessed; ``KEYS`` those by 256 random bits. Every address that
is open to everybody leads by one of them, or stands in ``NO_WAY`` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services import api_key_create, guess_limits, invitation_create, letter_limits, tries_count
from accounts.services.tries import ADDRESS, LETTERS, LETTERS_OF_NAME, NAME, PAIR
from ispbilling.kernel import clock
from network.models import Line
from portal.auth import CONFIRMED_KEY
from portal.services.entrance import CODES, CODES_OF_CUSTOMERS, CODES_PER_PHONE, GUESSES, code_limits, code_send
from sms.services import channel_account_add
from tests import factories
from tests.accounts.test_second_factor import code_of, switched_on
from tests.house import permissions
from tests.house.test_secrets import Ears, ears, rows_in_clear
from tests.house.world import PUBLIC
from tests.portal.doors import last_code, signed_in
from tests.programs import Program, host_of

__all__ = ["ears"]
HERE, ELSEWHERE = "10.7.0.1", "10.7.0.2"
PHONE, NOBODYS = "+254712345678", "+254799999999"
NEW = "three-brown-geese"


class Place:
    """A tenant with one of each kind of person, and browsers and programs at whatever address."""

    def __init__(self, tenant: Any, settings: Any, folder: Path) -> None:
        self.tenant, self.settings, self.folder = tenant, settings, folder
        self.host = host_of(tenant)
        self.staff = factories.staff_make(tenant, "owner", "amina@example.org")
        made = factories.line_make(phones=[PHONE], email="jane@example.org", username="jane.w")
        self.line = Line.objects.get(id=made.id)

    def browser(self, address: str = HERE, **session: Any) -> Client:
        made = Client(HTTP_HOST=self.host, REMOTE_ADDR=address)
        if session:
            kept = made.session
            kept.update(session)
            kept.save()
        return made

    def customer(self, address: str, **session: Any) -> Client:
        return signed_in(self.browser(address), self.tenant, self.line.customer_id, **session)

    def program(self, address: str = HERE) -> Program:
        return Program(self.host, address=address)

    def later(self, seconds: float) -> None:
        """The machine's clock goes on."""
        self.settings.FAILPOINTS_DIR = str(self.folder)
        (self.folder / "machine_clock").write_text(str(seconds))


@pytest.fixture
def place(tenant: Any, settings: Any, tmp_path: Path) -> Place:
    settings.ALLOWED_HOSTS = [".localhost"]
    settings.ACCOUNT_RATE_LIMITS = False  # counted in Redis, past the end of a test; ours are in PostgreSQL
    return Place(tenant, settings, tmp_path)


def is_on(answer: Any) -> bool:
    """Let in, or led on to what lies behind the door."""
    if answer.request["PATH_INFO"].startswith("/api/"):
        return bool(answer.status_code == 200)
    return answer.status_code == 302 and "sign-in" not in answer["Location"] and "login" not in answer["Location"]


# --- By what can be guessed --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Guessed:
    """``secret``: what lets the one in who is called ``name``; ``knock``: place, name, secret, address → the answer."""

    title: str
    addresses: frozenset[str]
    name: str
    nobody: str
    secret: Callable[[Place], str]
    knock: Callable[[Place, str, str, str], Any]
    most: int = PAIR
    spellings: tuple[str, ...] = ()
    is_code: bool = False
    life_s: int = 0  # of a code


def _staff(_place: Place) -> str:
    return factories.PASSWORD


def _line(place: Place) -> str:
    return str(place.line.password.reveal())


def _code(_place: Place) -> str:
    code_send(typed_phone=PHONE)
    return last_code()


def _page(path: str, key: str, is_customer: bool = False) -> Callable[[Place, str, str, str], Any]:
    """The page that takes the code for the number in the session."""

    def knock(place: Place, name: str, secret: str, address: str) -> Any:
        until = clock.machine_now().timestamp() + 300
        make = place.customer if is_customer else place.browser
        return make(address, **{key: name, CONFIRMED_KEY: until}).post(path, {"code": secret})

    return knock


def _api(path: str, name_of: str, secret_of: str, **more: str) -> Callable[[Place, str, str, str], Any]:
    def knock(place: Place, name: str, secret: str, address: str) -> Any:
        return place.program(address).post(path, {name_of: name, secret_of: secret, **more})

    return knock


def _login(place: Place, name: str, secret: str, address: str) -> Any:
    return place.browser(address).post("/account/login/", {"login": name, "password": secret})


def _password(place: Place, name: str, secret: str, address: str) -> Any:
    return place.browser(address).post("/client/sign-in/password/", {"name": name, "password": secret})


PHONES = ("0712 345 678", "0712-345-678", "254712345678", "+254 712 345 678", "00254712345678")
MAILS = ("JANE@example.org", " jane@EXAMPLE.org ", "Jane@Example.Org")
API = frozenset({"api_portal:login"})
BY_PASSWORD = frozenset({"portal:sign_in_password"})
BY_CODE = frozenset({"portal:sign_in", "portal:sign_in_code"})
SIGN_UP = frozenset({"portal:sign_up", "portal:sign_up_code", "portal:sign_up_details", "portal:sign_up_sent"})


def _by_code(title: str, addresses: frozenset[str], knock: Callable[[Place, str, str, str], Any]) -> Guessed:
    return Guessed(title, addresses, PHONE, NOBODYS, _code, knock, GUESSES, is_code=True, life_s=600)


GUESSED = [
    Guessed(
        "staff page", frozenset({"account_login"}), "amina@example.org", "nobody@example.org", _staff, _login,
        spellings=("AMINA@example.org", "Amina@Example.org"),
    ),
    Guessed(
        "API, staff", API, "amina@example.org", "nobody@example.org", _staff,
        _api("/api/auth/login", "email", "password"),
        spellings=("AMINA@example.org", "Amina@Example.org"),
    ),
    Guessed("API, name of the line", API, "jane.w", "nobody", _line, _api("/api/auth/login", "username", "password")),
    Guessed(
        "API, telephone", API, PHONE, NOBODYS, _line, _api("/api/auth/login", "phone", "password"), spellings=PHONES
    ),
    Guessed(
        "API, e-mail", API, "jane@example.org", "no@example.org", _line, _api("/api/auth/login", "email", "password"),
        spellings=("JANE@example.org", "Jane@Example.Org"),
    ),
    Guessed("portal, name of the line", BY_PASSWORD, "jane.w", "nobody", _line, _password),
    Guessed("portal, telephone", BY_PASSWORD, PHONE, NOBODYS, _line, _password, spellings=PHONES),
    Guessed("portal, e-mail", BY_PASSWORD, "jane@example.org", "no@example.org", _line, _password, spellings=MAILS),
    _by_code("portal, code", BY_CODE, _page("/client/sign-in/code/", "portal_phone")),
    _by_code("sign-up code", SIGN_UP, _page("/client/sign-up/code/", "portal_sign_up")),
    _by_code("code to see a line", frozenset(), _page("/client/profile/line/confirm/", "none", is_customer=True)),
    _by_code(
        "code of another telephone", frozenset(),
        _page("/client/profile/telephones/code/", "portal_new_phone", is_customer=True),
    ),
    _by_code("API, code", API | {"api_portal:code"}, _api("/api/auth/login", "phone", "code")),
    _by_code(
        "API, registration", frozenset({"api_portal:register"}),
        _api("/api/auth/register", "phone", "code", name="Jane"),
    ),
]  # fmt: skip
#: Which own code it is depends on the one who is signed in: there is no other name to try.
ONES_OWN = {"code to see a line"}

guessed = pytest.mark.parametrize("way", GUESSED, ids=lambda way: way.title)
codes = pytest.mark.parametrize("way", [one for one in GUESSED if one.is_code], ids=lambda way: way.title)


def wrong_of(way: Guessed, secret: str) -> str:
    return f"{(int(secret) + 1) % 1_000_000:06d}" if way.is_code else "wrong-password"


def plain(answer: Any, *said: str) -> str:
    """The page without what was typed into it and without what differs each time."""
    text = str(answer.content.decode())
    for one in said:
        text = text.replace(one, "•")
    text = re.sub(r"0\d{3} (?:\d{6}|•••\d{3})", "•", text)
    return re.sub(r'(csrfmiddlewaretoken" value|nonce|X-CSRFToken"?: ?)="?[\w-]+', "", text)


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


def forgotten(place: Place, email: str, address: str = HERE) -> int:
    """How many letters one question sends."""
    before = len(mail.outbox)
    place.browser(address).post("/account/password/reset/", {"email": email})
    return len(mail.outbox) - before


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


# --- By keys -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """``make``: a new key; ``knock``: place, key → the answer. ``life_s`` None: as long as it is not taken back."""

    title: str
    addresses: frozenset[str]
    make: Callable[[Place], str]
    knock: Callable[[Place, str], Any]
    is_once: bool
    life_s: float | None
    in_clear: frozenset[str] = field(default_factory=frozenset)  # tables


def _tokens(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = (
        place.program().post("/api/auth/login", {"email": "amina@example.org", "password": factories.PASSWORD}).json()
    )
    return found


def _with_token(place: Place, key: str) -> Any:
    return Program(place.host, key).get("/api/keys")


def _api_key(place: Place) -> str:
    until = clock.machine_now() + timedelta(hours=1)
    return api_key_create(
        membership=place.staff, name="till", scopes=["keys:manage"], expires_at=until, actor=factories.ACTOR
    )[1]


def _invitation(place: Place) -> str:
    made = invitation_create(email="new@example.org", role="support", by=place.staff, actor=factories.ACTOR)
    return made[1]


def _join(place: Place, key: str) -> Any:
    sent = {"name": "Neema", "password": NEW, "password1": NEW, "password2": NEW}
    return place.browser().post(f"/account/invitation/{key}/", sent)


def _reset_link(place: Place) -> str:
    assert forgotten(place, "amina@example.org") == 1
    return re.findall(r"/password/reset/key/([^/\s]+)/", str(mail.outbox[-1].body))[0]


def _reset(place: Place, key: str) -> Any:
    browser = place.browser()
    opened = browser.get(f"/account/password/reset/key/{key}/")
    if opened.status_code != 302:
        return opened
    return browser.post(opened["Location"], {"password1": NEW, "password2": NEW})


def _gateway(_place: Place) -> str:
    return str(factories.account_make("mpesa").token)


def _channel(_place: Place) -> str:
    made = channel_account_add(channel="console", label="messages", config={}, actor=factories.ACTOR)
    return str(made.token)


def _hook(path: str, body: dict[str, str]) -> Callable[[Place, str], Any]:
    def knock(place: Place, key: str) -> Any:
        return place.browser().post(path.format(key), body)

    return knock


KEYS = [
    Key("refresh token", frozenset({"api_portal:refresh"}), lambda place: str(_tokens(place)["refresh_token"]),
        lambda place, key: place.program().post("/api/auth/refresh", {"refresh_token": key}), True, 30 * 86_400),
    Key("access token", frozenset(), lambda place: str(_tokens(place)["access_token"]), _with_token, False, 900),
    Key("API key", frozenset(), _api_key, _with_token, False, 3_600),
    Key("invitation", frozenset({"account_invitation"}), _invitation, _join, True, 3 * 86_400),
    Key("link to a new password", frozenset({"account_reset_password", "account_reset_password_done",
        "account_reset_password_from_key", "account_reset_password_from_key_done"}), _reset_link, _reset, True, None),
    # Gateways and providers are given these in the address they call, again and again: they must be read back.
    Key("hook of a gateway", frozenset({"payments_hook"}), _gateway, _hook("/hooks/p/{}/x", {}), False, None,
        frozenset({"payments_provideraccount"})),
    Key("hook of messages", frozenset({"sms_report_hook"}), _channel, _hook("/hooks/m/{}/report", {"id": "x"}), False,
        None, frozenset({"sms_channelaccount"})),
]  # fmt: skip
keys = pytest.mark.parametrize("way", KEYS, ids=lambda way: way.title)


def is_open(answer: Any) -> bool:
    refused = answer.context is not None and answer.context.get("token_fail")  # the page of allauth says so
    return answer.status_code in (200, 302) and not refused and b"invalid" not in answer.content


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
    key = _reset_link(place)
    assert place.settings.PASSWORD_RESET_TIMEOUT == 86_400
    place.settings.PASSWORD_RESET_TIMEOUT = -1  # its time is the machine's own
    assert not is_open(_reset(place, key))


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


@pytest.mark.parametrize(
    "change", [_own_page, lambda place: _reset(place, _reset_link(place))], ids=["changed", "reset"]
)
def test_another_password_ends_the_programs_that_came_in_with_the_old_one(
    change: Callable[[Place], Any], place: Place
) -> None:
    tokens = _tokens(place)
    assert _with_token(place, tokens["access_token"]).status_code == 200
    change(place)
    assert _with_token(place, tokens["access_token"]).status_code == 401
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
