"""Many rows in one statement."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Subscription
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.sets import rows_update
from packages.models import Package
from tests import factories


def test_each_row_gets_its_own_values_in_one_statement(tenant: Any) -> None:
    rows = [factories.subscription_make() for _ in range(5)]
    now = clock.now()
    for number, row in enumerate(rows):
        row.expires_at = None if number == 0 else now + timedelta(days=number)
        row.periods, row.hold_reason = number, f"é'{number}"
    with CaptureQueriesContext(connection) as captured:
        rows_update(rows, ["expires_at", "periods", "hold_reason"])
    assert len(captured) == 1
    found = {row.id: row for row in Subscription.objects.all()}
    for row in rows:
        kept = found[row.id]
        assert (kept.expires_at, kept.periods, kept.hold_reason) == (row.expires_at, row.periods, row.hold_reason)


def test_what_is_not_named_is_left_alone_and_money_stays_exact(tenant: Any) -> None:
    package = factories.package_make(price=Decimal("1499.50"))
    package.name, package.price = "other", Decimal("0.10")
    rows_update([package], ["price"])
    kept = Package.objects.get(id=package.id)
    assert (kept.price, kept.name != "other") == (Decimal("0.10"), True)


def test_nothing_is_no_statement_and_a_neighbours_row_is_not_reached(tenant: Any) -> None:
    rows_update([], ["name"])
    package = factories.package_make(name="mine")
    package.name = "theirs"
    other = factories.tenant_make()
    with tenancy.tenant_context(other.id):
        # The same transaction: its tenant is set at its beginning, so the wall is asked for by hand.
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, true)", [tenancy.SETTING, str(other.id)])
        rows_update([package], ["name"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [tenancy.SETTING, str(tenant.id)])
    assert Package.objects.get(id=package.id).name == "mine"
