"""Money, for programs of staff."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import selectors, services
from billing.api.shapes import InvoicePage, idempotency_key, invoice_shown
from billing.models import Invoice, Receipt
from customers.selectors import customer_known
from ispbilling.kernel import access, clock
from ispbilling.kernel.money import Money
from ispbilling.kernel.rest import Endpoint, EnvelopeShape, Page, PageQuery, Shape, Strict


class TransactionShape(Shape):
    id = serializers.UUIDField()
    customerId = serializers.UUIDField(allow_null=True, help_text="Null: money nobody claims, in suspense.")
    amount = serializers.CharField()
    currency = serializers.CharField()
    method = serializers.CharField()
    number = serializers.CharField(allow_null=True, help_text="The gateway's receipt number.")
    receivedAt = serializers.DateTimeField()
    bookedAt = serializers.DateTimeField()


class TransactionPage(EnvelopeShape):
    transactions = TransactionShape(many=True)


class TransactionQuery(PageQuery):
    customerId = serializers.UUIDField(required=False)
    method = serializers.CharField(required=False, max_length=20)


class NewTransaction(Strict):
    customerId = serializers.UUIDField()
    amount = serializers.DecimalField(max_digits=13, decimal_places=3, min_value=Decimal("0.001"))
    method = serializers.ChoiceField(choices=["cash"], default="cash", help_text="Gateways tell of their money.")
    description = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


def transaction_shown(row: Receipt) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "customerId": str(row.customer_id) if row.customer_id else None,
        "amount": str(Money(row.amount, row.currency).amount),
        "currency": row.currency,
        "method": row.method,
        "number": row.number,
        "receivedAt": row.received_at,
        "bookedAt": row.booked_at,
    }


@access.staff("billing:view", POST="finance:income_create")
class Transactions(Endpoint):
    @extend_schema(
        parameters=[TransactionQuery], responses=TransactionPage, operation_id="transactions_list", tags=["billing"]
    )
    def get(self, request: Request) -> Response:
        """Money that came, newest first."""
        asked = self.asked(TransactionQuery)
        rows = selectors.receipts_all(customer_id=asked.get("customerId"), method=asked.get("method", ""))
        page: Page[Receipt] = Page(rows, asked)
        return Response({"transactions": [transaction_shown(row) for row in page.rows], **page.envelope()})

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="The name of this intention: a repeat gets the first answer.",
            )
        ],
        request=NewTransaction,
        responses={201: TransactionShape},
        operation_id="transactions_create",
        tags=["billing"],
    )
    def post(self, request: Request) -> Response:
        """Book cash that was counted. The header `Idempotency-Key` is needed: money is not booked twice."""
        data = self.read(NewTransaction)
        if not request.headers.get("Idempotency-Key"):
            raise serializers.ValidationError({"Idempotency-Key": [_("This header is needed.")]})
        customer_known(data["customerId"])
        receipt = services.cash_receive(
            customer_id=data["customerId"],
            amount=data["amount"],
            description=data["description"],
            key=idempotency_key(request),
            actor=self.actor,
        )
        return Response(transaction_shown(receipt), status=201)


class InvoiceQuery(PageQuery):
    customerId = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Invoice.State.choices, required=False)


@access.staff("billing:view")
class Invoices(Endpoint):
    @extend_schema(parameters=[InvoiceQuery], responses=InvoicePage, operation_id="invoices_list", tags=["billing"])
    def get(self, request: Request) -> Response:
        """Issued invoices, newest first."""
        asked = self.asked(InvoiceQuery)
        rows = selectors.invoices_all(customer_id=asked.get("customerId"), state=asked.get("status", ""))
        page = Page(selectors.invoices_with_paid(rows), asked)
        return Response({"invoices": [invoice_shown(row) for row in page.rows], **page.envelope()})


class RevenueQuery(serializers.Serializer):  # type: ignore[type-arg]
    since = serializers.DateField(required=False, help_text="First day, the tenant's; without it 30 days back.")
    until = serializers.DateField(required=False, help_text="Last day; without it today.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since, until = attrs.get("since"), attrs.get("until")
        for day in (since, until):
            if day is not None and not date(2000, 1, 1) <= day <= date(2200, 1, 1):
                raise serializers.ValidationError(_("That day is out of reach."))
        return attrs


class MethodSum(Shape):
    method = serializers.CharField()
    amount = serializers.CharField()
    count = serializers.IntegerField()


class DaySum(Shape):
    day = serializers.DateField()
    amount = serializers.CharField()
    count = serializers.IntegerField()


class RevenueShape(Shape):
    since = serializers.DateField()
    until = serializers.DateField()
    currency = serializers.CharField()
    total = serializers.CharField()
    count = serializers.IntegerField()
    byMethod = MethodSum(many=True)
    byDay = DaySum(many=True)


@access.staff("billing:view")
class Revenue(Endpoint):
    @extend_schema(parameters=[RevenueQuery], responses=RevenueShape, operation_id="revenue_get", tags=["billing"])
    def get(self, request: Request) -> Response:
        """Money that came, by method and by day of the tenant's calendar; days without any are left out."""
        asked, tenant = self.asked(RevenueQuery), self.inner.tenant
        zone = tenant.zone_info
        until = asked.get("until") or clock.now().astimezone(zone).date()
        since = asked.get("since") or until - timedelta(days=30)
        if not timedelta(0) <= until - since <= timedelta(days=400):
            raise serializers.ValidationError({"since": [_("At most 400 days, the first before the last.")]})
        begin = datetime.combine(since, time(), tzinfo=zone)
        end = datetime.combine(until + timedelta(days=1), time(), tzinfo=zone)
        found = selectors.revenue(begin=begin, end=end, currency=tenant.currency, zone=zone)
        total = sum((one.amount for one in found.by_method), Money.zero(tenant.currency))
        body = {
            "since": since,
            "until": until,
            "currency": tenant.currency,
            "total": str(total.amount),
            "count": sum(one.count for one in found.by_method),
            "byMethod": [
                {"method": one.name, "amount": str(one.amount.amount), "count": one.count} for one in found.by_method
            ],
            "byDay": [{"day": one.name, "amount": str(one.amount.amount), "count": one.count} for one in found.by_day],
        }
        return Response(body)
