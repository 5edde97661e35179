"""Every way in: who knocks where, with what.

``GUESSED`` are the ways by something short enough to be guessed; ``KEYS`` those by 256 random bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core import mail
from django.test import Client

from accounts.services import api_key_create, invitation_create
from accounts.services.tries import PAIR
from ispbilling.kernel import clock
from network.models import Line
from portal.auth import CONFIRMED_KEY
from portal.services.entrance import GUESSES, code_send
from sms.services import channel_account_add
from tests import factories
from tests.portal.doors import last_code, signed_in
from tests.programs import Program, host_of

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


def wrong_of(way: Guessed, secret: str) -> str:
    return f"{(int(secret) + 1) % 1_000_000:06d}" if way.is_code else "wrong-password"


def plain(answer: Any, *said: str) -> str:
    """The page without what was typed into it and without what differs each time."""
    text = str(answer.content.decode())
    for one in said:
        text = text.replace(one, "•")
    text = re.sub(r"0\d{3} (?:\d{6}|•••\d{3})", "•", text)
    return re.sub(r'(csrfmiddlewaretoken" value|nonce|X-CSRFToken"?: ?)="?[\w-]+', "", text)


def forgotten(place: Place, email: str, address: str = HERE) -> int:
    """How many letters one question sends."""
    before = len(mail.outbox)
    place.browser(address).post("/account/password/reset/", {"email": email})
    return len(mail.outbox) - before


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


def tokens_of(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = (
        place.program().post("/api/auth/login", {"email": "amina@example.org", "password": factories.PASSWORD}).json()
    )
    return found


def with_token(place: Place, key: str) -> Any:
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


def reset_link(place: Place) -> str:
    assert forgotten(place, "amina@example.org") == 1
    return re.findall(r"/password/reset/key/([^/\s]+)/", str(mail.outbox[-1].body))[0]


def reset(place: Place, key: str) -> Any:
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
    Key("refresh token", frozenset({"api_portal:refresh"}), lambda place: str(tokens_of(place)["refresh_token"]),
        lambda place, key: place.program().post("/api/auth/refresh", {"refresh_token": key}), True, 30 * 86_400),
    Key("access token", frozenset(), lambda place: str(tokens_of(place)["access_token"]), with_token, False, 900),
    Key("API key", frozenset(), _api_key, with_token, False, 3_600),
    Key("invitation", frozenset({"account_invitation"}), _invitation, _join, True, 3 * 86_400),
    Key("link to a new password", frozenset({"account_reset_password", "account_reset_password_done",
        "account_reset_password_from_key", "account_reset_password_from_key_done"}), reset_link, reset, True, None),
    # Gateways and providers are given these in the address they call, again and again: they must be read back.
    Key("hook of a gateway", frozenset({"payments_hook"}), _gateway, _hook("/hooks/p/{}/x", {}), False, None,
        frozenset({"payments_provideraccount"})),
    Key("hook of messages", frozenset({"sms_report_hook"}), _channel, _hook("/hooks/m/{}/report", {"id": "x"}), False,
        None, frozenset({"sms_channelaccount"})),
]  # fmt: skip


def is_open(answer: Any) -> bool:
    refused = answer.context is not None and answer.context.get("token_fail")  # the page of allauth says so
    return answer.status_code in (200, 302) and not refused and b"invalid" not in answer.content
