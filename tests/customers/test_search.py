"""Who is found by what: every token of a customer, and the papers and sessions that lead to him."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.models import Invoice
from customers import search
from customers.models import Customer, SearchToken
from customers.selectors import customers_found
from customers.services import customer_edit
from network.drivers.base import SessionSeen
from network.services.sessions import sessions_record
from tests.factories import ACTOR, account_make, customer_make, line_make, package_make
from tests.support_money import cash_pay


@pytest.fixture
def jane(tenant: Any) -> Customer:
    line = line_make(
        name="Jane Wanjirũ Mwangi",
        phones=["0712 345 678"],
        email="jane@example.org",
        address="Gitanga Road 12",
        username="jane-home",
        package=package_make(price=Decimal("100")),
    )
    line_make(name="Peter Otieno", phones=["0733 000 111"], address="Moi Avenue 3", username="peter-home")
    seen = SessionSeen(
        id="*1", username="jane-home", key="*1", address="10.20.30.40", mac="AA:BB:CC:DD:EE:01", uptime_s=60,
        download_bytes=1, upload_bytes=1,
    )  # fmt: skip
    sessions_record(router_id=line.router_id, seen=[seen], uptime_s=1000)
    customer: Customer = line.customer
    return customer


@pytest.mark.parametrize(
    "query",
    [
        "jane", "WANJIRU", "mwan jan", "+254 712 345 678", "0712345678", "345678", "jane-home", "janehome",
        "jane@example.org", "gitanga", "road 12", "10.20.30.40", "10.20.", "AA:BB:CC:DD:EE:01", "aa-bb-cc-dd-ee-01",
        "aa:bb:cc",
    ],
)  # fmt: skip
def test_a_customer_is_found_by(jane: Customer, query: str) -> None:
    assert list(customers_found(query)) == [jane]


@pytest.mark.parametrize("query", ["jane otieno", "10.20.31.", "ab:cd:ef", "zzz", "INV-9", "--"])
def test_nobody_is_found_by(jane: Customer, query: str) -> None:
    assert list(customers_found(query)) == []


def test_an_empty_question_leaves_everybody(jane: Customer) -> None:
    assert customers_found("  ").count() == 2


def test_a_code_finds_its_customer(jane: Customer) -> None:
    assert list(customers_found(jane.code)) == [jane]


def test_an_invoice_and_a_receipt_lead_to_their_customer(jane: Customer) -> None:
    account_make("cash")
    receipt = cash_pay(jane.id, Decimal(100))
    assert list(customers_found(str(receipt.number).lower())) == [jane]
    number = Invoice.objects.filter(customer=jane).values_list("number", flat=True).first()
    if number:
        assert list(customers_found(number.lower())) == [jane]


def test_a_changed_address_is_found_and_the_old_one_is_not(jane: Customer) -> None:
    customer_edit(
        customer_id=jane.id, name=jane.name, phones=["0712345678"], email=jane.email, address="Ngong 7", actor=ACTOR
    )
    assert list(customers_found("ngong")) == [jane]
    assert list(customers_found("gitanga")) == []


def test_words_that_many_have_are_found_together(tenant: Any) -> None:
    """More than the bound: the list walks and asks of each."""
    both = [customer_make(name=f"Amina Kamau {number}") for number in range(6)]
    for number in range(6):
        customer_make(name=f"Amina Otieno {number}")
        customer_make(name=f"Brian Kamau {number}")
    found = search.met(Customer.objects.all(), "amina kamau", bound=3)
    assert {row.id for row in found} == {row.id for row in both}


def test_one_rare_word_among_common_ones_is_asked_first(tenant: Any, django_assert_num_queries: Any) -> None:
    for number in range(4):
        customer_make(name=f"Amina Kamau {number}")
    rare = customer_make(name="Amina Zawadi")
    with django_assert_num_queries(3):  # two words (the first few suffice), the other word of these, the customers
        assert list(customers_found("a zawadi")) == [rare]


def test_a_finder_cannot_be_registered_twice() -> None:
    from billing.finders import customers_of_paper

    with pytest.raises(ValueError, match="twice"):
        search.register(customers_of_paper)


def test_tokens_hold_what_a_customer_is_found_by(jane: Customer) -> None:
    assert SearchToken.objects.filter(customer=jane, token="gitanga").count() == 1
