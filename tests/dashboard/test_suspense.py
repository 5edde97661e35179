"""The pages of receipts, suspense and cash."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Receipt, Subscription
from billing.selectors import wallet_of
from ispbilling.kernel import clock
from payments.models import StatementLine
from tests import factories
from tests.billing.test_suspense import assign, line, nobodys

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SUSPENSE, RECEIPTS = "/dashboard/suspense/", "/dashboard/receipts/"


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "owner").user, BACKEND)
    return browser


def test_what_waits_is_attached_with_two_clicks(here: Client) -> None:
    subscription = factories.subscription_make()
    receipt = nobodys(typed=f"for {subscription.customer.code}")
    assert f"{RECEIPTS}{receipt.id}/" in here.get(SUSPENSE).content.decode()
    text = here.get(f"{RECEIPTS}{receipt.id}/").content.decode()
    assert subscription.customer.name in text
    answer = here.post(f"{RECEIPTS}{receipt.id}/owner/", {"customer": str(subscription.customer_id)})
    assert answer.status_code == 302
    assert Subscription.objects.get().state == Subscription.State.ACTIVE


def test_a_look_ahead_changes_nothing(here: Client) -> None:
    subscription = factories.subscription_make()
    receipt = nobodys()
    answer = here.get(f"{RECEIPTS}{receipt.id}/owner/?customer={subscription.customer_id}")
    assert subscription.package.name in answer.content.decode()
    assert Receipt.objects.get().customer_id is None


def test_taking_back_shows_first_and_asks_why(here: Client) -> None:
    subscription = factories.subscription_make()
    receipt = nobodys()
    assign(receipt, subscription)
    path = f"{RECEIPTS}{receipt.id}/owner/"
    assert subscription.package.name in here.get(path).content.decode()
    assert here.post(path, {"reason": ""}).status_code == 422
    assert here.post(path, {"reason": "his neighbour's"}).status_code == 302
    assert Receipt.objects.get().customer_id is None


def test_without_a_customer_nothing_is_attached(here: Client) -> None:
    receipt = nobodys()
    for customer in ("", "x", str(receipt.id)):
        assert 400 <= here.post(f"{RECEIPTS}{receipt.id}/owner/", {"customer": customer}).status_code < 500


def test_given_back_and_kept_after_all(here: Client) -> None:
    receipt = nobodys()
    path = f"{RECEIPTS}{receipt.id}/return/"
    assert here.post(path, {"note": "on the portal"}).status_code == 302
    assert "All money has its owner" in here.get(SUSPENSE).content.decode()
    assert here.post(path, {"action": "keep"}).status_code == 302
    assert Receipt.objects.get().returned_at is None


def test_the_list_of_payments_says_which_money_was_given_back(here: Client) -> None:
    receipt = nobodys()
    assert "in suspense" in here.get("/dashboard/payments/").content.decode()
    here.post(f"{RECEIPTS}{receipt.id}/return/", {"note": "on the portal"})
    text = here.get("/dashboard/payments/").content.decode()
    assert ("in suspense" in text, "given back" in text) == (False, True)


def test_a_line_of_a_statement_is_somebodys_or_nobodys(here: Client) -> None:
    first, second = line(), line(receipt="TAF0000002")
    assert "TAF0000001" in here.get(SUSPENSE).content.decode()
    customer = factories.customer_make()
    assert here.get(f"{SUSPENSE}{first.id}/?q={customer.code}").status_code == 200
    assert here.post(f"{SUSPENSE}{first.id}/", {"customer": str(customer.id)}).status_code == 302
    assert here.post(f"{SUSPENSE}{second.id}/", {"action": "nobody"}).status_code == 302
    assert wallet_of(customer.id, "KES").amount == Decimal(500)
    assert "This money is in the book" in here.get(f"{SUSPENSE}{first.id}/").content.decode()
    assert StatementLine.objects.count() == 2


def test_support_sees_and_may_not_attach(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "support").user, BACKEND)
    receipt, found = nobodys(), line()
    assert browser.get(f"{RECEIPTS}{receipt.id}/").status_code == 200
    customer = str(factories.customer_make().id)
    assert browser.post(f"{RECEIPTS}{receipt.id}/owner/", {"customer": customer}).status_code == 403
    assert browser.post(f"{SUSPENSE}{found.id}/", {"customer": customer}).status_code == 403
    assert Receipt.objects.get().customer_id is None


def test_a_payment_is_looked_at_and_then_booked_once(here: Client) -> None:
    factories.account_make()
    subscription = factories.subscription_make()
    path = f"/dashboard/customers/{subscription.customer_id}/cash/"
    typed = {"amount": "1600", "way": "bank", "reference": "slip 7", "key": "one"}
    looked = here.post(path, {**typed, "action": "look"})
    assert (looked.status_code, Receipt.objects.count()) == (200, 0)
    assert "KES 100.00" in looked.content.decode()
    for _ in range(2):
        assert here.post(path, {**typed, "action": "book"}).status_code == 302
    assert Receipt.objects.count() == 1
    assert Subscription.objects.get().expires_at > clock.now()


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "x"}, {"amount": "1.005"}, {"way": "gold"}, {"key": ""}])
def test_a_payment_that_cannot_be_is_not_booked(here: Client, wrong: dict[str, str]) -> None:
    factories.account_make()
    path = f"/dashboard/customers/{factories.customer_make().id}/cash/"
    typed = {"amount": "100", "way": "cash", "reference": "", "key": "one", "action": "book", **wrong}
    assert here.post(path, typed).status_code == 422
    assert Receipt.objects.count() == 0
