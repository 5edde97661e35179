"""The second factor at the door, and where it is switched on and off."""

from __future__ import annotations

import re
from binascii import unhexlify
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django_otp.oath import totp

from accounts.models import RecoveryCode, TotpDevice, User
from accounts.services import second_factor_begin, second_factor_confirm
from ispbilling.kernel import clock
from ispbilling.kernel.models import AuditEntry
from tests import factories

OWN = "/dashboard/account/second-factor/"
ASK = "/account/second-factor/"
ACTOR = "system:test"


def code_of(user: User, steps: int = 0) -> str:
    """What the person's app shows now, or some steps of 30 seconds from now."""
    key = unhexlify(TotpDevice.objects.get(user=user).key.reveal())
    return f"{totp(key, t0=-30 * steps):06d}"


def wait_over(user: User) -> None:
    """As if the wait after wrong codes were over."""
    earlier = clock.machine_now() - timedelta(hours=1)
    TotpDevice.objects.filter(user=user).update(throttling_failure_timestamp=earlier)


def switched_on(user: User) -> list[str]:
    """Switch it on with the code of a step ago, so that the present one is still good. Returns recovery codes."""
    second_factor_begin(user=user)
    codes = second_factor_confirm(user=user, code=code_of(user, -1), actor=ACTOR)
    assert codes is not None
    return codes


@pytest.fixture
def owner(tenant: Any) -> User:
    user: User = factories.staff_make(tenant, "owner", "owner@example.org").user
    return user


@pytest.fixture
def door(tenant: Any, owner: User, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    cache.clear()
    return Client(HTTP_HOST=f"{tenant.slug}.localhost")


def knock(door: Client, **more: str) -> Any:
    return door.post("/account/login/", {"login": "owner@example.org", "password": factories.PASSWORD, **more})


# --- At the door ------------------------------------------------------------------------------------------------


def test_the_password_alone_opens_nothing(door: Client, owner: User) -> None:
    switched_on(owner)
    assert knock(door)["Location"] == ASK
    assert door.get("/dashboard/")["Location"].startswith("/account/login/")


def test_the_code_of_now_opens(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    assert door.post(ASK, {"code": code_of(owner)})["Location"] == "/dashboard/"
    assert door.get("/dashboard/").status_code == 200


def test_a_page_asked_for_before_is_where_one_lands_after_the_code(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door, next="/dashboard/customers/")
    assert door.post(ASK, {"code": code_of(owner)})["Location"] == "/dashboard/customers/"


@pytest.mark.parametrize("wrong", ["000000", "x", "", "١٢٣٤٥٦", "9" * 39, "abcd-efgh-ijkm-npqr", "-12345"])
def test_a_wrong_code_opens_nothing(wrong: str, door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    assert door.post(ASK, {"code": wrong}).status_code == 422
    assert door.get("/dashboard/").status_code == 302


def test_a_right_code_straight_after_a_wrong_one_is_not_looked_at(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    door.post(ASK, {"code": "000000"})
    answer = door.post(ASK, {"code": code_of(owner)})
    assert answer.status_code == 422
    assert "Too many wrong codes" in answer.content.decode()
    wait_over(owner)
    assert door.post(ASK, {"code": code_of(owner)}).status_code == 302


def test_who_was_attacked_a_thousand_times_waits_minutes_and_not_years(owner: User) -> None:
    switched_on(owner)
    device = TotpDevice.objects.get(user=owner)
    for _ in range(1000):
        device.throttle_increment(commit=False)
    until = device.verify_is_allowed()[1]["locked_until"]
    assert timedelta(minutes=5) < until - clock.machine_now() <= timedelta(seconds=512)


def test_a_code_that_was_taken_is_not_taken_again(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    code = code_of(owner)
    door.post(ASK, {"code": code})
    second = Client(HTTP_HOST=door.defaults["HTTP_HOST"])
    knock(second)
    assert second.post(ASK, {"code": code}).status_code == 422
    assert second.get("/dashboard/").status_code == 302


def test_a_code_older_than_a_step_is_not_taken(door: Client, owner: User) -> None:
    switched_on(owner)
    TotpDevice.objects.update(last_step=-1)
    knock(door)
    assert door.post(ASK, {"code": code_of(owner, -3)}).status_code == 422


def test_a_recovery_code_opens_once(door: Client, owner: User) -> None:
    codes = switched_on(owner)
    knock(door)
    assert door.post(ASK, {"code": codes[0].upper().replace("-", " ")}).status_code == 302
    assert "You have 9 left" in door.get("/dashboard/").content.decode()
    second = Client(HTTP_HOST=door.defaults["HTTP_HOST"])
    knock(second)
    assert second.post(ASK, {"code": codes[0]}).status_code == 422
    assert AuditEntry.objects.filter(verb="second_factor.recovery", row_id=str(owner.id)).count() == 1


def test_a_session_older_than_the_factor_is_asked_for_the_code(door: Client, owner: User) -> None:
    knock(door)
    switched_on(owner)
    answer = door.get("/dashboard/customers/")
    assert answer["Location"] == "/account/second-factor/?next=%2Fdashboard%2Fcustomers%2F"
    answer = door.post(ASK, {"code": code_of(owner), "next": "https://evil.example/"})
    assert answer["Location"] == "/dashboard/"
    assert door.get("/dashboard/customers/").status_code == 200


def test_a_program_is_told_and_not_sent_to_a_page(door: Client, owner: User) -> None:
    customer = factories.customer_make()
    knock(door)
    switched_on(owner)
    answer = door.get(f"/api/customers/{customer.id}/why")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "auth.second_factor")


def test_the_page_says_when_the_clock_of_the_server_is_wrong(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    assert "clock of this server" not in door.get(ASK).content.decode()
    with connection.cursor() as cursor:  # a reading of a day that has certainly been, in this machine's own future
        cursor.execute(
            "INSERT INTO kernel_clockwatch (id, wall, boot, uptime_s, accepted_boot, state, state_boot, state_uptime_s)"
            " VALUES (1, now() + interval '2 days', 'another', 1, '', 'right', 'another', 1)"
        )
    from ispbilling.kernel import clockwatch

    clockwatch._last = None
    try:
        assert "clock of this server may be wrong" in door.get(ASK).content.decode()
    finally:
        clockwatch._last = None


# --- Who must have one ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_a_leader_without_one_is_led_to_it_before_anything_else(role: str, tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    settings.SECOND_FACTOR_REQUIRED = True
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    user = factories.staff_make(tenant, role).user
    browser.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    for path in ("/dashboard/", "/dashboard/customers/", "/dashboard/routers/"):
        assert browser.get(path)["Location"] == OWN
    assert browser.get(OWN).status_code == 200
    browser.post(OWN, {"action": "begin"})
    browser.post(OWN, {"action": "confirm", "code": code_of(user)})
    assert browser.get("/dashboard/").status_code == 200


def test_others_choose(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    settings.SECOND_FACTOR_REQUIRED = True
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(
        factories.staff_make(tenant, "support").user, "allauth.account.auth_backends.AuthenticationBackend"
    )
    assert browser.get("/dashboard/").status_code == 200


# --- One's own page ---------------------------------------------------------------------------------------------


def test_set_up_shows_the_secret_as_picture_and_text_and_the_codes_once(door: Client, owner: User) -> None:
    knock(door)
    assert door.post(OWN, {"action": "begin"})["Location"] == OWN
    page = door.get(OWN).content.decode()
    secret = TotpDevice.objects.get(user=owner).secret
    assert secret in re.sub(r"\s", "", page)
    assert '<svg viewBox="0 0' in page
    assert "style=" not in page
    answer = door.post(OWN, {"action": "confirm", "code": code_of(owner)})
    codes = re.findall(r'<li class="code">([a-z2-9-]{19})</li>', answer.content.decode())
    assert len(set(codes)) == 10
    assert "no-store" in answer["Cache-Control"]
    later = door.get(OWN).content.decode()
    assert "You have 10 recovery codes left" in later
    assert not any(code in later for code in codes)
    assert secret not in re.sub(r"\s", "", later)


def test_a_wrong_first_code_switches_nothing_on(door: Client, owner: User) -> None:
    knock(door)
    door.post(OWN, {"action": "begin"})
    assert door.post(OWN, {"action": "confirm", "code": "000000"}).status_code == 422
    assert TotpDevice.objects.get(user=owner).confirmed is False
    assert knock(Client(HTTP_HOST=door.defaults["HTTP_HOST"]))["Location"] == "/dashboard/"


def test_at_rest_neither_secret_nor_recovery_code_can_be_read(owner: User) -> None:
    codes = switched_on(owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_totpdevice t UNION SELECT t::text FROM accounts_recoverycode t")
        rows = " ".join(row[0] for row in cursor.fetchall())
    key = TotpDevice.objects.get(user=owner).key.reveal()
    assert key not in rows
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)


def test_new_recovery_codes_take_the_password_and_end_the_old(door: Client, owner: User) -> None:
    old = switched_on(owner)
    knock(door)
    door.post(ASK, {"code": code_of(owner)})
    assert door.post(OWN, {"action": "codes", "password": "wrong"}).status_code == 422
    answer = door.post(OWN, {"action": "codes", "password": factories.PASSWORD}).content.decode()
    assert len(re.findall(r'<li class="code">', answer)) == 10
    assert not any(code in answer for code in old)
    assert RecoveryCode.objects.filter(user=owner).count() == 10


def test_switching_off_takes_the_password_and_is_written_down(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    door.post(ASK, {"code": code_of(owner)})
    door.post(OWN, {"action": "off", "password": "wrong"})
    assert TotpDevice.objects.filter(user=owner).exists()
    door.post(OWN, {"action": "off", "password": factories.PASSWORD})
    assert not TotpDevice.objects.filter(user=owner).exists()
    assert not RecoveryCode.objects.filter(user=owner).exists()
    entry = AuditEntry.objects.get(verb="second_factor.off")
    assert (entry.actor, entry.row_id) == (f"user:{owner.id}", str(owner.id))


def test_a_stolen_session_without_the_code_cannot_switch_it_off(door: Client, owner: User) -> None:
    knock(door)
    switched_on(owner)
    assert door.post(OWN, {"action": "off", "password": factories.PASSWORD})["Location"].startswith(ASK)
    assert TotpDevice.objects.filter(user=owner).exists()


def test_guessing_the_password_there_is_stopped_too(door: Client, owner: User) -> None:
    switched_on(owner)
    knock(door)
    door.post(ASK, {"code": code_of(owner)})
    for _ in range(5):
        door.post(OWN, {"action": "off", "password": "wrong"})
    assert door.post(OWN, {"action": "off", "password": factories.PASSWORD}).status_code != 302
    assert TotpDevice.objects.filter(user=owner).exists()
