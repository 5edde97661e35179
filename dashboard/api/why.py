"""Why a customer is off or on, for programs of staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.selectors import customer_known
from dashboard.proof import Told, customer_proof
from ispbilling.kernel import access
from ispbilling.kernel.paging import instant_of
from ispbilling.kernel.rest import Endpoint, Shape
from network.timeline import Chain
from network.why import Answer, LineAnswer
from network.wording import sentence, todo


class WhyShape(Shape):
    """``code``, ``cause``, ``level`` and ``reason`` are words of docs/api.md; the rest of it are sentences."""

    customer = serializers.DictField()
    code = serializers.CharField()
    cause = serializers.CharField(allow_null=True)
    is_online = serializers.BooleanField(allow_null=True)
    is_entitled = serializers.BooleanField(allow_null=True)
    level = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    sentence = serializers.CharField()
    todo = serializers.CharField()
    lines = serializers.ListField(child=serializers.DictField())
    chains = serializers.ListField(child=serializers.DictField())
    timeline = serializers.ListField(child=serializers.DictField())
    timeline_next = serializers.DateTimeField(allow_null=True)


@access.staff("customers:view")
class Why(Endpoint):
    @extend_schema(
        responses=WhyShape,
        operation_id="customers_why",
        tags=["customers"],
        parameters=[OpenApiParameter("before", str, description="An instant: the timeline before it.")],
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Why a customer is off or on: code, sentence, what to do, line by line, and his timeline, newest first.

        `timeline_next` is the instant to ask for with `before` to get the page after; null at the end.
        """
        zone = self.inner.tenant.zone_info
        customer_known(customer_id)
        before = instant_of(request.query_params.get("before", ""))
        found = customer_proof(customer_id, granted=self.inner.granted, zone=zone, before=before)
        body = {
            "customer": {"id": str(found.customer.id), "code": found.customer.code, "name": found.customer.name},
            **_answer(found.whole.answer),
            "sentence": found.sentence,
            "todo": found.todo,
            "lines": [
                {"username": one.username, "package": one.package, **_line(one, zone)} for one in found.whole.lines
            ],
            "chains": [_chain(chain) for chain in found.chains],
            "timeline": [_step(told) for told in found.steps],
            "timeline_next": _iso(found.next_before),
        }
        return Response(body)


def _line(one: LineAnswer, zone: Any) -> dict[str, Any]:
    facts = one.answer.facts
    instants: dict[str, Any] = {}
    if facts is not None:
        instants = {
            "router": facts.router.name,
            "online_since": _iso(facts.online_since),
            "offline_since": _iso(facts.last_seen_at),
            "expired_at": _iso(facts.expired_at),
            "suspended_at": _iso(facts.suspended_at),
            "applied_at": _iso(facts.applied_at),
            "router_seen_at": _iso(facts.router.seen_at),
            "router_rests_until": _iso(facts.router.rests_until),
            "cuts_stopped_at": _iso(facts.stopped_at),
        }
    return {**_answer(one.answer), "sentence": sentence(one.answer, zone), "todo": todo(one.answer), **instants}


def _answer(answer: Answer) -> dict[str, Any]:
    now = answer.facts.entitlement if answer.facts is not None else None
    return {
        "code": answer.code.value,
        "cause": answer.cause.value if answer.cause is not None else None,
        "is_online": answer.is_online if answer.is_known else None,
        "is_entitled": answer.is_entitled,
        "level": now.level.value if now is not None else None,
        "reason": now.reason.value if now is not None else None,
        "until": _iso(now.until) if now is not None else None,
    }


def _chain(chain: Chain) -> dict[str, Any]:
    took = chain.took
    return {
        "id": str(chain.id),
        "paid_at": _iso(chain.paid_at),
        "online_at": _iso(chain.online_at),
        "seconds": round(took.total_seconds(), 3) if took is not None else None,
        "was_online": chain.was_online,
    }


def _step(told: Told) -> dict[str, Any]:
    step = told.step
    values = {name: _iso(value) if isinstance(value, datetime) else value for name, value in step.values.items()}
    return {
        "at": _iso(step.at),
        "kind": step.kind.value,
        "sentence": told.sentence,
        "amount": str(step.amount.amount) if step.amount is not None else None,
        "currency": step.amount.currency if step.amount is not None else None,
        "chain": str(step.chain) if step.chain is not None else None,
        "values": values,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
