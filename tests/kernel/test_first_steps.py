"""The registry of first steps: in order, each once, done when there is a row, asked in one statement."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ispbilling.kernel import first_steps
from tests import factories

NAMES = ["business", "gateway", "messages", "router", "package", "customer", "payment"]


def done() -> list[str]:
    return [one.step.name for one in first_steps.seen() if one.is_done]


def test_the_steps_lead_from_the_business_to_the_first_payment() -> None:
    assert [step.name for step in first_steps.steps()] == NAMES


def test_a_name_is_taken_once() -> None:
    step = first_steps.steps()[0]
    with pytest.raises(ValueError, match="registered twice"):
        first_steps.register(
            step.name,
            title="",
            text="",
            do="",
            url=step.url,
            icon=step.icon,
            permission=step.permission,
            order=1,
            rows=step.rows,
        )


def test_what_has_a_row_is_done_and_another_tenants_rows_do_not_count(tenant: Any) -> None:
    from tests.payments.test_services import _Inside

    with _Inside(factories.tenant_make().id):
        factories.package_make()
    before = done()
    assert "package" not in before
    factories.package_make()
    assert done() == [name for name in NAMES if name in before or name == "package"]


def test_all_are_looked_at_in_one_statement(tenant: Any) -> None:
    with CaptureQueriesContext(connection) as told:
        first_steps.seen()
    assert len(told) == 1


def test_a_router_counts_when_it_has_answered(tenant: Any) -> None:
    factories.router_make()
    assert "router" not in done()
