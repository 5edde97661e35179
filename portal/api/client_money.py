"""The customer's own money: what a recharge costs, bills, ways of paying, payments."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import selectors as billing
from billing.api.shapes import idempotency_key
from billing.models import Invoice
from ispbilling.kernel import clock
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.money import Money
from ispbilling.kernel.rest import Page, PageQuery
from payments import selectors as payments
from payments.models import Payment
from payments.providers.base import providers
from portal.api import client_shapes as shapes
from portal.api.client import Own
from portal.services import recharge_pay


class RechargeOptions(Own):
    @extend_schema(responses=shapes.RechargeOptions, operation_id="client_recharge_options", tags=["client"])
    def get(self, request: Request) -> Response:
        """How many periods can be bought at once, and what that takes off the price."""
        rows = [
            {"months": row.periods, "discountPercent": str(row.discount_percent)} for row in billing.recharge_options()
        ]
        return Response({"options": rows})


class RechargePreview(Own):
    @extend_schema(
        parameters=[shapes.PreviewQuery],
        responses=shapes.Preview,
        operation_id="client_recharge_preview",
        tags=["client"],
    )
    def get(self, request: Request) -> Response:
        """What a recharge would cost now, and until when it would last."""
        asked = self.asked(shapes.PreviewQuery)
        subscription = self.subscription(asked.get("subscriptionId"))
        for offer in billing.offers_of(subscription):
            if offer.quote.periods == asked["months"]:
                price = offer.quote
                return Response(
                    {
                        "subscriptionId": str(subscription.id),
                        "months": price.periods,
                        "subtotal": str(price.subtotal.amount),
                        "discountPercent": str(price.discount_percent),
                        "discountAmount": str(price.discount.amount),
                        "total": str(price.total.amount),
                        "currency": price.total.currency,
                        "newExpiry": offer.new_expires_at,
                    }
                )
        raise DomainError(
            "recharge.periods", "That length is not offered.", fields={"months": ["Please choose one that is."]}
        )


class Recharges(Own):
    @extend_schema(responses=shapes.Recharges, operation_id="client_recharges", tags=["client"])
    def get(self, request: Request) -> Response:
        """The last 50 recharges, newest first."""
        return Response({"recharges": [_recharge(row) for row in billing.recharges_of(self.customer.id)[:50]]})


def _recharge(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "amount": str(Money(row.total, row.currency).amount),
        "currency": row.currency,
        "months": row.periods,
        "payment_method": row.method,
        "old_expiry": row.old_expires_at,
        "new_expiry": row.new_expires_at,
        "discount": str(Money(row.discount, row.currency).amount),
        "status": row.state,
        "recharge_date": row.completed_at or row.created_at,
        "collected_by_name": "customer_self",
    }


class Bills(Own):
    @extend_schema(parameters=[shapes.BillQuery], responses=shapes.Bills, operation_id="client_bills", tags=["client"])
    def get(self, request: Request) -> Response:
        """Invoices as the app calls them, newest first; the count follows the filters."""
        asked, today = self.asked(shapes.BillQuery), self._today()
        rows = billing.bills_of(
            self.customer.id, status=asked["status"], year=asked.get("year"), today=today, zone=self.tenant.zone_info
        )
        page: Page[Invoice] = Page(billing.invoices_with_paid(rows), asked)
        body = {"limit": page.size, "totalPages": page.pages, **page.envelope()}
        return Response({"bills": [_bill(row, today) for row in page.rows], **body})

    def _today(self) -> date:
        return clock.now().astimezone(self.tenant.zone_info).date()


def _bill(row: Any, today: date) -> dict[str, Any]:
    status = row.state if row.state != Invoice.State.ISSUED else "overdue" if row.due_on < today else "unpaid"
    return {
        "id": str(row.id),
        "bill_number": row.number,
        "billing_month": f"{row.issued_at:%Y-%m}",
        "bill_date": row.issued_at,
        "due_date": row.due_on,
        "amount": str(Money(row.net, row.currency).amount),
        "total_amount": str(Money(row.total, row.currency).amount),
        "paid_amount": str(Money(row.paid, row.currency).amount),
        "currency": row.currency,
        "status": status,
    }


class BillStatistics(Bills):
    @extend_schema(responses=shapes.BillStatistics, operation_id="client_bill_statistics", tags=["client"])
    def get(self, request: Request) -> Response:
        """How many bills are paid, open and overdue; what is due of them, part payments counted."""
        found = billing.bill_statistics(self.customer.id, today=self._today())
        currency = self.tenant.currency
        due = billing.due_of(self.customer.id, currency)
        return Response({**found, "totalDue": str(due.amount), "currency": currency})


class Gateways(Own):
    @extend_schema(responses=shapes.Gateways, operation_id="client_gateways", tags=["client"])
    def get(self, request: Request) -> Response:
        """Ways of paying, in the provider's order."""
        rows = [
            {
                "id": str(row.id),
                "gateway": row.provider,
                "display_name": row.label,
                "is_enabled": row.is_enabled,
                "sandbox_mode": "sandbox" in (row.base_url or providers.get(row.provider).default_base_url),
                "instructions": "",
            }
            for row in payments.accounts_offered()
        ]
        return Response({"gateways": rows})


class Payments(Own):
    is_atomic = False

    @extend_schema(
        parameters=[PageQuery], responses=shapes.PaymentPage, operation_id="client_payments", tags=["client"]
    )
    def get(self, request: Request) -> Response:
        """Newest first, those that failed too."""
        with transaction.atomic():
            page: Page[Payment] = Page(payments.payments_of(self.customer.id), self.asked(PageQuery))
        return Response({"payments": [shapes.payment_row(row) for row in page.rows], **page.envelope()})

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="A repeat gets the payment that is there."
            )
        ],
        request=shapes.Pay,
        responses={201: shapes.PaymentRow},
        operation_id="client_pay",
        tags=["client"],
    )
    def post(self, request: Request) -> Response:
        """Order periods and ask the gateway for their price: the phone rings, and the payment is `pending` until the
        gateway tells what came of it.
        """
        data = self.read(shapes.Pay)
        payment = recharge_pay(
            customer=self.customer,
            subscription_id=data["subscriptionId"],
            periods=data["months"],
            account_id=data["gatewayId"],
            typed_phone=data["phone"],
            idempotency_key=f"api:{self.customer.id.hex}:{idempotency_key(request)}"[:80],
        )
        with transaction.atomic():
            return Response(shapes.payment_row(payments.payment_get(payment.id)), status=201)


class PaymentOne(Own):
    @extend_schema(responses=shapes.PaymentRow, operation_id="client_payment", tags=["client"])
    def get(self, request: Request, payment_id: UUID) -> Response:
        """How a payment goes."""
        row = payments.payment_get(payment_id)
        if row.customer_id != self.customer.id:
            raise NotFound("payment.unknown", "There is no such payment.")
        return Response(shapes.payment_row(row))
