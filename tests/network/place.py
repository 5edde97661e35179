"""A tenant with one line on a simulated router."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from billing.services import cycle_run
from ispbilling.kernel import clock, events, outbox, tenancy
from network.models import Line, Router
from network.services import router_converge
from simulators.routeros import SimRouter
from tests import factories
from tests.billing.test_receipts import paid


class Place:
    """A tenant with one line on the simulated router."""

    def __init__(self, far: SimRouter, mode: str = "walled") -> None:
        self.far = far
        self.tenant = factories.tenant_make(suspension_mode=mode)
        with self.inside():
            self.router = factories.router_make(port=far.port)
            package = factories.package_make(period_unit="day", period_count=30)
            self.line = factories.line_make(router=self.router, package=package, username="jane", password="pw")
        far.cpe_add("jane", "pw", "AA:BB:CC:00:00:01")

    def inside(self) -> Any:
        from tests.payments.test_services import _Inside

        return _Inside(self.tenant.id)

    def converge(self) -> str:
        with tenancy.tenant_context(self.tenant.id):
            return router_converge(router_id=self.router.id)

    def audit(self) -> str:
        """A contact in which all rows are compared."""
        with self.inside():
            Router.objects.update(audited_at=None)
        return self.converge()

    def pay(self, number: str = "A") -> None:
        with self.inside():
            paid(self.line.subscription, "1500", number=number)
        self.drain()

    def drain(self) -> None:
        while sum(outbox.drain(shard) for shard in range(events.SHARDS)):
            pass

    def fresh(self) -> Line:
        with self.inside():
            return Line.objects.get(id=self.line.id)

    def on_router(self) -> dict[str, str]:
        return next(row for row in self.far.rows("/ppp/secret") if row["name"] == "jane")

    def let_pass(self, **by: float) -> None:
        with transaction.atomic():
            clock.travel(timedelta(**by))
        with tenancy.tenant_context(self.tenant.id):
            cycle_run()
        self.drain()
