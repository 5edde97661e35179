"""Whatever the document allows to be sent, by whomever: no 5xx, no status and no answer the document does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks

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
EXAMPLES = 12
#: These end what the others need: tried with made-up ids and without a token alone.
ENDS = {("/api/auth/logout", "post"), ("/api/customers/{customer_id}", "delete")}


@pytest.fixture
def place(committed: None, settings: Any) -> dict[str, Any]:
    """A tenant with a customer who paid, and the tokens of both; committed, as gateways are called in between."""
    settings.ALLOWED_HOSTS = [".localhost", "localhost"]
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        factories.account_make("cash")
        line, member = factories.line_make(), factories.staff_make(tenant, "owner")
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        password = Line.objects.get(id=line.id).password.reveal()
    owner = Program(host_of(tenant)).signed_in(email=member.user.email, password=factories.PASSWORD)
    customer = Program(host_of(tenant)).signed_in(username=line.username, password=password)
    path = f"/api/customers/{line.customer_id}/recharge"
    assert owner.post(path, {"amount": "1500"}).status_code == 200
    return {
        "host": host_of(tenant),
        "tokens": {"staff": owner.token, "customer": customer.token, "nobody": ""},
        "ids": {"customer_id": str(line.customer_id), "package_id": str(line.subscription.package_id)},
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", ["staff", "customer", "nobody"])
def test_nothing_that_can_be_sent_breaks_the_contract(who: str, place: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document(), default=str)))
    schema.app = application
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        is_end = (operation.path, operation.method) in ENDS

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def send(case: Any, is_end: bool = is_end) -> None:
            nonlocal tried
            tried += 1
            if tried % 2 and not is_end:
                for name, value in place["ids"].items():
                    if name in (case.path_parameters or {}):
                        case.path_parameters[name] = value
            token = "" if is_end else place["tokens"][who]
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            case.call_and_validate(headers=headers, base_url=f"http://{place['host']}", checks=CHECKS)

        send()
    assert tried > 300
