"""Whose entry of a statement is this: the pure rule."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from ispbilling.kernel.money import Money
from payments.matching import Candidate, is_payer, matched
from payments.providers.base import StatementEntry

PHONE = "+254712345678"
AT = datetime(2026, 1, 15, 5, 30, tzinfo=UTC)
ENTRY = StatementEntry("TAF0000001", Money(Decimal(1500), "KES"), AT, "2547 ***** 678", "")


def candidate(reference: str = "PABCDEFGHJKM", phone: str = PHONE, amount: int = 1500, ago_s: int = 30) -> Candidate:
    money = Money(Decimal(amount), "KES")
    return Candidate(uuid4(), uuid4(), reference, phone, money, AT - timedelta(seconds=ago_s))


@pytest.mark.parametrize("typed", ["PABCDEFGHJKM", "pabc defg hjkm", " #PABC-DEFGHJKM"])
def test_our_reference_decides_whatever_the_rest(typed: str) -> None:
    one = candidate(phone="+254799999999", ago_s=7200)
    twin = candidate("PZZZZZZZZZZZ")
    assert matched(replace(ENTRY, account_text=typed), [twin, one]) == one


def test_our_reference_with_another_amount_is_not_this_payment() -> None:
    assert matched(replace(ENTRY, account_text="PABCDEFGHJKM"), [candidate(amount=1499)]) is None


def test_whoever_typed_something_else_was_not_asked_by_us() -> None:
    assert matched(replace(ENTRY, account_text="C1001"), [candidate()]) is None


def test_without_a_text_telephone_amount_and_time_decide() -> None:
    one = candidate()
    others = [candidate(phone="+254722000111"), candidate(amount=100), candidate(ago_s=3600), candidate(ago_s=-600)]
    assert matched(ENTRY, [*others, one]) == one


def test_two_that_fit_are_none() -> None:
    assert matched(ENTRY, [candidate(), candidate("PZZZZZZZZZZZ", ago_s=90)]) is None


def test_money_that_is_booked_already_and_lacks_its_number_comes_first() -> None:
    """Else staff would find a line of nobody for it, and book the same money again."""
    booked = replace(candidate("PZZZZZZZZZZZ", ago_s=90), is_settled=True)
    assert matched(ENTRY, [candidate(), booked]) == booked


def test_of_several_that_are_booked_the_oldest_gets_the_number() -> None:
    """Which one is no matter: no money is booked by it."""
    first, second = (replace(candidate(ago_s=ago), is_settled=True) for ago in (90, 30))
    assert matched(ENTRY, [first, second]) == first


def test_without_a_time_a_telephone_proves_nothing() -> None:
    assert matched(replace(ENTRY, at=None), [candidate()]) is None


@pytest.mark.parametrize(
    ("told", "is_his"),
    [
        ("254712345678", True),
        ("712345678", True),
        ("0712345678", True),
        ("254712345679", False),
        ("2547 ***** 678", True),
        ("25471****678", True),
        ("2547 ***** 679", False),
        ("2547 *****", False),
        ("***", False),
        ("", False),
        ("678", False),
        ("JANE", False),
        (hashlib.sha256(b"254712345678").hexdigest(), True),
        (hashlib.sha256(b"254712345679").hexdigest(), False),
    ],
)
def test_a_payer_in_clear_hidden_or_hashed(told: str, is_his: bool) -> None:
    assert is_payer(told, PHONE) is is_his
