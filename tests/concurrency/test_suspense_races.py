"""Money that changes hands while other money moves: nobody waits in a circle, and nothing that was paid is undone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, transaction

from billing.models import AccountKind, LedgerAccount, Subscription
from billing.selectors import wallet_of
from billing.services import days_take, ledger_check, receipt_assign, receipt_release
from dashboard.bulk_actions import Extend
from ispbilling.kernel import tenancy
from tests import factories
from tests.billing.test_receipts import paid
from tests.billing.test_suspense import nobodys
from tests.servers import admin


class Aside:
    """Work in a thread and a transaction of its own, so that the test can hold it at a lock."""

    def __init__(self, tenant_id: UUID, work: Callable[[], Any]) -> None:
        self.result: Any = None
        self._tenant, self._work = tenant_id, work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with tenancy.tenant_context(self._tenant), transaction.atomic():
                self.result = self._work()
        except Exception as error:  # noqa: BLE001  the test looks at it
            self.result = error
        finally:
            connection.close()

    def end(self) -> Any:
        self._thread.join(timeout=60)
        return self.result


def waiting(server: psycopg.Connection[Any]) -> int:
    """How many transactions of this test's database wait for a lock."""
    row = server.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
        [settings.DATABASES["default"]["NAME"]],
    ).fetchone()
    return int(row[0]) if row else 0


def until_waiting(server: psycopg.Connection[Any], count: int) -> None:
    for _ in range(2_000):
        if waiting(server) >= count:
            return
        server.execute("SELECT pg_sleep(0.01)")
    raise AssertionError(f"{waiting(server)} wait, not {count}")


def test_taking_money_back_and_attaching_other_money_do_not_wait_in_a_circle(committed: None) -> None:
    """The one holds what was earned and wants what nobody owns, the other the reverse, were it not one posting each."""
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        for number, kind in enumerate((AccountKind.SUSPENSE, AccountKind.REVENUE, AccountKind.TAX), start=1):
            LedgerAccount.objects.create(id=UUID(int=number), kind=kind, owner="", currency="KES")
        first, second = factories.subscription_make(), factories.subscription_make()
        wrong, other = nobodys("1500"), nobodys("1500")
        receipt_assign(receipt_id=wrong.id, customer_id=first.customer_id, actor=factories.ACTOR)
        counter = "INSERT INTO billing_creditnotecounter (id, tenant_id, year, last) VALUES (%s, %s, %s, 0)"
        year = wrong.booked_at.astimezone(tenant.zone_info).year
        with connection.cursor() as cursor:
            cursor.execute(counter, [UUID(int=9), tenant.id, year])
    name = settings.DATABASES["default"]["NAME"]
    # The number of the credit note is held for a moment: it is taken after the book.
    with admin(name) as server, admin(name) as holder, holder.transaction():
        holder.execute("SELECT 1 FROM billing_creditnotecounter FOR UPDATE")
        back = Aside(
            tenant.id, lambda: receipt_release(receipt_id=wrong.id, reason="his neighbour's", actor=factories.ACTOR)
        )
        until_waiting(server, 1)
        give = Aside(
            tenant.id,
            lambda: receipt_assign(receipt_id=other.id, customer_id=second.customer_id, actor=factories.ACTOR),
        )
        until_waiting(server, 2)
    done = [back.end(), give.end()]
    assert [one for one in done if isinstance(one, Exception)] == []
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        assert wallet_of(first.customer_id, "KES").amount == Decimal(0)
        assert ledger_check() == []


def test_days_that_are_taken_back_leave_what_was_paid_meanwhile(committed: None) -> None:
    """A payment commits while the days are being given: the undo leads back to what it paid for, not before it."""
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        factories.account_make()
        subscription = factories.subscription_make()
        paid(subscription, "1500")
    parameters = {"days": 3, "reason": "outage"}
    with (
        admin(settings.DATABASES["default"]["NAME"]) as server,
        tenancy.tenant_context(tenant.id),
        transaction.atomic(),
    ):
        paid(subscription, "1500", number="R-2")
        give = Aside(
            tenant.id,
            lambda: Extend().act(subscription.customer_id, parameters, key="k", actor=factories.ACTOR),
        )
        until_waiting(server, 1)
        paid_until = Subscription.objects.get().expires_at
    before = give.end()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        days_take(
            subscription_id=subscription.id,
            given_until=datetime.fromisoformat(before["until"]),
            old=datetime.fromisoformat(before["old"]),
            reason="undone",
            actor=factories.ACTOR,
        )
        assert Subscription.objects.get().expires_at == paid_until
