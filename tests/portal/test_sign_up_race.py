"""Two details of one telephone at once: a double tap on a slow network makes one customer."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import transaction

from customers.models import Customer
from customers.selectors import customers_of_phone
from customers.services import customer_create
from ispbilling.kernel import tenancy
from network.models import Line
from portal.services import sign_up
from tests import factories
from tests.concurrency.test_money_races import at_once, inside

NUMBER, TOGETHER = "+254712345678", 4

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def place() -> Any:
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        factories.router_make()
        return tenant, factories.package_make()


def counted(tenant: Any) -> tuple[int, int]:
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        return Customer.objects.count(), Line.objects.count()


def test_whoever_looks_and_then_makes_makes_several(place: Any) -> None:
    tenant, _package = place
    looked = threading.Barrier(TOGETHER)

    def unguarded() -> None:
        owners = customers_of_phone(NUMBER)
        looked.wait(timeout=30)
        if not owners:
            customer_create(name="Amina", phones=[NUMBER], actor=factories.ACTOR)

    at_once(TOGETHER, inside(tenant.id, unguarded))
    assert counted(tenant) == (TOGETHER, 0)


def test_signing_up_several_times_at_once_makes_one(place: Any) -> None:
    tenant, package = place

    def guarded() -> Any:
        return sign_up(number=NUMBER, name="Amina", address="Kahawa", package_id=package.id).customer

    made = at_once(TOGETHER, inside(tenant.id, guarded))
    assert counted(tenant) == (1, 1)
    assert len({customer.id for customer in made}) == 1
