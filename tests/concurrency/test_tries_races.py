"""Guesses made all at once: no more of them are looked at than may be."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from accounts.services import guess_limits, tries_allow, tries_count, tries_take
from accounts.services.tries import PAIR
from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import DomainError, TooMany
from portal.models import LoginCode
from portal.services import code_send
from portal.services.entrance import CODES_PER_PHONE
from tests import factories
from tests.concurrency.test_money_races import at_once

TOGETHER = 12
pytestmark = pytest.mark.usefixtures("committed")


def test_whoever_looks_and_then_counts_lets_all_of_them_try() -> None:
    limits = guess_limits(name="jane", address="10.0.0.1")
    looked = threading.Barrier(TOGETHER)

    def guess(_number: int) -> None:
        tries_allow(limits=limits)
        looked.wait()
        tries_count(limits=limits)

    assert at_once(TOGETHER, guess) == [None] * TOGETHER


def test_of_many_guesses_at_once_as_many_as_may_are_let_try() -> None:
    limits = guess_limits(name="jane", address="10.0.0.1")
    results = at_once(TOGETHER, lambda _number: tries_take(limits=limits))
    assert results.count(None) == PAIR
    assert sum(isinstance(one, TooMany) for one in results) == TOGETHER - PAIR


def test_of_many_codes_asked_for_at_once_as_many_as_may_are_sent() -> None:
    tenant = factories.tenant_make()

    def ask(_number: int) -> Any:
        with tenancy.tenant_context(tenant.id):
            return code_send(typed_phone="0712345678")

    results = at_once(TOGETHER, ask)
    assert results.count("+254712345678") == CODES_PER_PHONE
    assert sum(isinstance(one, DomainError) for one in results) == TOGETHER - CODES_PER_PHONE
    with tenancy.platform("test"):
        assert LoginCode.objects.count() == CODES_PER_PHONE
