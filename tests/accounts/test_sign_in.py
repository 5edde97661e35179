"""Staff at the door."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tests import factories


@pytest.fixture
def door(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    cache.clear()
    factories.staff_make(tenant, "owner", "owner@example.org")
    return Client(HTTP_HOST=f"{tenant.slug}.localhost")


def knock(door: Client, password: str, email: str = "owner@example.org") -> Any:
    return door.post("/account/login/", {"login": email, "password": password})


def test_the_right_password_opens(door: Client) -> None:
    assert knock(door, factories.PASSWORD)["Location"] == "/dashboard/"
    assert door.get("/dashboard/").status_code == 200


def test_the_address_is_read_without_regard_to_case(door: Client) -> None:
    assert knock(door, factories.PASSWORD, "Owner@Example.ORG").status_code == 302


def test_a_wrong_password_does_not(door: Client) -> None:
    assert knock(door, "wrong").status_code != 302
    assert door.get("/dashboard/").status_code == 302


def test_after_five_wrong_ones_even_the_right_one_does_not(door: Client) -> None:
    for _ in range(5):
        knock(door, "wrong")
    assert knock(door, factories.PASSWORD).status_code != 302
    assert door.get("/dashboard/").status_code == 302


def test_a_page_asked_for_before_is_where_one_lands(door: Client) -> None:
    answer = door.post(
        "/account/login/?next=/dashboard/customers/",
        {"login": "owner@example.org", "password": factories.PASSWORD, "next": "/dashboard/customers/"},
    )
    assert answer["Location"] == "/dashboard/customers/"


def test_one_is_not_sent_to_a_strangers_site(door: Client) -> None:
    form = {"login": "owner@example.org", "password": factories.PASSWORD, "next": "https://evil.example/"}
    assert door.post("/account/login/", form)["Location"] == "/dashboard/"


def test_nobody_signs_up_by_himself(door: Client) -> None:
    answer = door.get("/account/signup/")
    assert "Staff are invited" in answer.content.decode()


def test_a_forgotten_password_is_answered_alike_for_everybody(door: Client) -> None:
    known = door.post("/account/password/reset/", {"email": "owner@example.org"})
    unknown = door.post("/account/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert "owner@example.org" in mail.outbox[0].to


def test_a_member_without_a_tenant_in_business_sees_nothing(door: Client, tenant: Any) -> None:
    from accounts.models import Membership

    knock(door, factories.PASSWORD)
    Membership.objects.update(is_active=False)
    assert door.get("/dashboard/").status_code == 403
