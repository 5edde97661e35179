"""Messages as staff see and send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sms.models import Message, Template
from sms.services import channel_account_add, message_send
from tests import factories

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PHONE = "+254712345678"
LIST, WORDINGS = "/dashboard/messages/", "/dashboard/settings/wordings/"


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "owner", "owner@example.org").user, BACKEND)
    return browser


def message(key: str = "k", **given: Any) -> Message:
    """A message with the code ``key`` in it."""
    made = message_send(code="portal_code", key=key, to=PHONE, values={"code": key})
    Message.objects.filter(id=made.id).update(next_try_at=None, **given)
    return Message.objects.get(id=made.id)


def shown(here: Client, **asked: str) -> list[str]:
    """Which of the messages aaa, bbb, ccc are listed."""
    page = here.get(LIST, asked).content.decode()
    return [key for key in ("aaa", "bbb", "ccc") if f"your code is {key}" in page]


def test_the_list_is_narrowed_by_state(here: Client) -> None:
    message("aaa", state="failed")
    message("bbb", state="delivered")
    assert shown(here, state="failed") == ["aaa"]


def test_the_list_is_narrowed_by_kind(here: Client) -> None:
    message("aaa")
    message("bbb", code="written")
    assert shown(here, kind="written") == ["bbb"]


def test_the_list_is_narrowed_by_customer(here: Client) -> None:
    message("aaa", customer=factories.customer_make(name="Amina Juma"))
    message("bbb", customer=factories.customer_make(name="Otieno"))
    assert shown(here, q="amina") == ["aaa"]


def test_days_are_the_tenants_and_whole(here: Client) -> None:
    message("aaa", created_at=datetime(2026, 3, 1, 20, 59, tzinfo=UTC))  # 23:59 in Nairobi
    message("bbb", created_at=datetime(2026, 3, 1, 21, 0, tzinfo=UTC))  # the next day there
    assert shown(here, since="2026-03-01", until="2026-03-01") == ["aaa"]


def test_a_filter_that_makes_no_sense_is_answered_with_its_fault(here: Client) -> None:
    assert here.get(LIST, {"state": "nowhere"}).status_code == 422


def test_a_message_tells_its_parts_and_the_providers_word(here: Client) -> None:
    made = message("aaa", cost="0.8000", cost_currency="KES")
    made.reports.create(delivery="delivered", code="Success", is_final=True, at=made.changed_at)
    page = here.get(f"{LIST}{made.id}/").content.decode()
    assert "Success" in page
    assert "KES 0.80" in page


def test_a_one_time_code_is_shown_nowhere(here: Client) -> None:
    made = message("aaa", is_secret=True)
    assert shown(here) == []
    assert "aaa" not in here.get(f"{LIST}{made.id}/").content.decode().replace(str(made.id), "")


def test_a_failed_message_is_sent_once_more_from_its_page(here: Client) -> None:
    made = message("aaa", state="failed")
    answer = here.post(f"{LIST}{made.id}/again/")
    assert answer["Location"] == f"{LIST}{Message.objects.get(again_of=made).id}/"


def test_an_unknown_outcome_asks_before_it_is_sent_once_more(here: Client) -> None:
    made = message("aaa", state="unknown")
    assert "The customer may get it twice." in here.get(f"{LIST}{made.id}/").content.decode()
    assert here.post(f"{LIST}{made.id}/again/").status_code == 409
    assert here.post(f"{LIST}{made.id}/again/", {"is_sure": "1"}).status_code == 302


def test_what_it_takes_is_told_before_anything_is_sent(here: Client) -> None:
    message("old", cost="0.8000", cost_currency="KES")
    customer = factories.customer_make()
    form = {"action": "preview", "text": "x" * 200, "key": "k"}
    page = here.post(reverse("sms:message_write", args=[customer.id]), form, HTTP_HX_REQUEST="true").content.decode()
    assert "KES 1.60" in page
    assert "<html" not in page
    assert Message.objects.filter(code="written").count() == 0


def test_what_is_written_is_sent_once_however_often_one_clicks(here: Client) -> None:
    customer = factories.customer_make()
    form = {"action": "send", "text": "The mast is repaired.", "key": "k"}
    for _ in range(2):
        here.post(reverse("sms:message_write", args=[customer.id]), form)
    assert Message.objects.get(code="written").text == "The mast is repaired."


def test_a_test_leads_to_the_page_that_tells_how_it_went(here: Client) -> None:
    account = channel_account_add(channel="console", label="Log", config={}, actor=factories.ACTOR)
    form = {"phone": "0712345678", "key": "k"}
    answer = here.post(reverse("sms:channel_try", args=[account.id]), form)
    assert answer["Location"] == f"{LIST}{Message.objects.get(code='test').id}/"


def test_a_wording_is_kept_and_put_back(here: Client) -> None:
    url = f"{WORDINGS}?kind=portal_code&language=sw"
    here.post(url, {"action": "save", "body": "Karibu: {code}"})
    assert Template.objects.get().body == "Karibu: {code}"
    here.post(url, {"action": "reset"})
    assert Template.objects.count() == 0


def test_a_wording_with_a_stranger_is_refused_with_what_to_do(here: Client) -> None:
    answer = here.post(f"{WORDINGS}?kind=portal_code&language=en", {"action": "save", "body": "{code} {x}"})
    assert answer.status_code == 422
    assert "Take only names from the list." in answer.content.decode()


def test_a_wording_is_tried_with_examples_and_kept_nowhere(here: Client, tenant: Any) -> None:
    form = {"action": "preview", "body": "{isp}: {code}"}
    page = here.post(f"{WORDINGS}?kind=portal_code&language=en", form).content.decode()
    assert f"{tenant.name}: 482915" in page
    assert Template.objects.count() == 0


def test_a_message_nobody_sends_is_not_found(here: Client) -> None:
    assert here.get(f"{WORDINGS}?kind=nothing").status_code == 404
