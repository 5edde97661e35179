"""Whatever the document allows to be sent, by whomever: no 5xx, no status and no answer the document does not know."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks

from accounts.permissions import permissions_of
from accounts.services import api_key_create
from dashboard.api.document import document
from ispbilling.kernel import tenancy
from ispbilling.wsgi import application
from network.models import Line
from tests import factories
from tests.programs import Program, host_of

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 4
#: These end what the others need: tried with made-up ids and without a token alone.
ENDS = {("/api/auth/logout", "post"), ("/api/customers/{customer_id}", "delete")}


@pytest.fixture
def place(committed: None, settings: Any) -> dict[str, Any]:
    """A tenant with a customer who paid, their tokens and a reseller's key; committed, as gateways are called."""
    settings.ALLOWED_HOSTS = [".localhost", "localhost"]
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        factories.account_make("cash")
        line, member = factories.line_make(), factories.staff_make(tenant, "owner")
        reseller = factories.staff_make(tenant, "reseller")
        machine = api_key_create(
            membership=reseller,
            name="till",
            scopes=permissions_of("reseller"),
            expires_at=None,
            actor=factories.ACTOR,
        )[1]
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        password = Line.objects.get(id=line.id).password.reveal()
    owner = Program(host_of(tenant)).signed_in(email=member.user.email, password=factories.PASSWORD)
    customer = Program(host_of(tenant)).signed_in(username=line.username, password=password)
    path = f"/api/customers/{line.customer_id}/recharge"
    assert owner.post(path, {"amount": "1500"}).status_code == 200
    return {
        "host": host_of(tenant),
        "tokens": {"staff": owner.token, "customer": customer.token, "reseller": machine, "nobody": ""},
        "ids": {"customer_id": str(line.customer_id), "package_id": str(line.subscription.package_id)},
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", ["staff", "reseller", "customer", "nobody"])
def test_nothing_that_can_be_sent_breaks_the_contract(who: str, place: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document(), default=str)))
    schema.app = application
    tried = sum(try_all(found.ok(), place, place["tokens"][who]) for found in schema.get_all_operations())
    assert tried > 100


def try_all(operation: Any, place: dict[str, Any], token: str) -> int:
    """Send what the document allows to one operation. Returns how often."""
    is_end, tried = (operation.path, operation.method) in ENDS, count()

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        if next(tried) % 2 == 0 and not is_end:
            for name in place["ids"].keys() & (case.path_parameters or {}).keys():
                case.path_parameters[name] = place["ids"][name]
        headers = {"Authorization": f"Bearer {token}"} if token and not is_end else {}
        case.call_and_validate(headers=headers, base_url=f"http://{place['host']}", checks=CHECKS)

    send()
    return next(tried)
