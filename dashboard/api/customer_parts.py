"""What belongs to one customer, for programs of staff: subscriptions, money, sessions, and what can be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import selectors as billing
from billing import services
from billing.api.shapes import InvoicePage, SubscriptionList, idempotency_key, invoice_shown, subscription_shown
from customers.selectors import customer_known
from ispbilling.kernel import access, clock
from ispbilling.kernel.money import Money
from ispbilling.kernel.rest import Endpoint, EnvelopeShape, Page, PageQuery, Shape, Strict
from network.models import Session
from network.selectors import customers_online, sessions_all_of
from payments.models import Payment
from payments.selectors import payments_of

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The name of this intention: a repeat acts once."
)


@access.staff("customers:view", GET="billing:view")
class Subscriptions(Endpoint):
    @extend_schema(responses=SubscriptionList, operation_id="customers_subscriptions", tags=["customers"])
    def get(self, request: Request, customer_id: UUID) -> Response:
        """A customer's subscriptions that have not ended, oldest first."""
        customer_known(customer_id)
        rules = billing.rules_current()
        shown = [subscription_shown(row, rules) for row in billing.subscriptions_of(customer_id)]
        return Response({"subscriptions": shown, "total": len(shown)})


class PaymentShape(Shape):
    id = serializers.UUIDField()
    amount = serializers.CharField(help_text="What was paid, else what was asked for.")
    currency = serializers.CharField()
    method = serializers.CharField()
    status = serializers.ChoiceField(choices=Payment.State.choices)
    transactionId = serializers.CharField(allow_null=True)
    description = serializers.CharField()
    createdAt = serializers.DateTimeField()


class CustomerPaymentPage(EnvelopeShape):
    payments = PaymentShape(many=True)
    totalPaid = serializers.CharField()


def payment_shown(row: Payment) -> dict[str, Any]:
    paid = Money(row.paid_amount if row.paid_amount is not None else row.amount, row.currency)
    return {
        "id": str(row.id),
        "amount": str(paid.amount),
        "currency": row.currency,
        "method": row.account.provider,
        "status": row.state,
        "transactionId": row.receipt,
        "description": row.purpose or row.payer_text,
        "createdAt": row.created_at,
    }


@access.staff("customers:view", GET="billing:view")
class Payments(Endpoint):
    @extend_schema(
        parameters=[PageQuery], responses=CustomerPaymentPage, operation_id="customers_payments", tags=["customers"]
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """A customer's payments, newest first, those that failed too; `totalPaid` is what was booked."""
        customer_known(customer_id)
        page: Page[Payment] = Page(payments_of(customer_id), self.asked(PageQuery))
        total = billing.paid_of(customer_id, self.inner.tenant.currency)
        shown = [payment_shown(row) for row in page.rows]
        return Response({"payments": shown, "totalPaid": str(total.amount), **page.envelope()})


@access.staff("customers:view", GET="billing:view")
class Invoices(Endpoint):
    @extend_schema(parameters=[PageQuery], responses=InvoicePage, operation_id="customers_invoices", tags=["customers"])
    def get(self, request: Request, customer_id: UUID) -> Response:
        """A customer's invoices, newest first."""
        customer_known(customer_id)
        page = Page(billing.invoices_with_paid(billing.invoices_of(customer_id)), self.asked(PageQuery))
        return Response({"invoices": [invoice_shown(row) for row in page.rows], **page.envelope()})


class SessionShape(Shape):
    id = serializers.UUIDField()
    sessionId = serializers.CharField()
    startTime = serializers.DateTimeField()
    stopTime = serializers.DateTimeField(allow_null=True)
    duration = serializers.CharField()
    inputOctets = serializers.IntegerField(help_text="From the subscriber: upload.")
    outputOctets = serializers.IntegerField(help_text="To the subscriber: download.")
    dataUsed = serializers.CharField(help_text="Both, 1 GB = 10^9 bytes.")
    framedIp = serializers.CharField()
    macAddress = serializers.CharField()
    terminateCause = serializers.CharField(allow_null=True)


class SessionPage(EnvelopeShape):
    sessions = SessionShape(many=True)


def session_shown(row: Session) -> dict[str, Any]:
    minutes = int(((row.stopped_at or row.seen_at) - row.started_at).total_seconds() // 60)
    return {
        "id": str(row.id),
        "sessionId": row.key,
        "startTime": row.started_at,
        "stopTime": row.stopped_at,
        "duration": f"{max(0, minutes) // 60}h {max(0, minutes) % 60}m",
        "inputOctets": row.upload_bytes,
        "outputOctets": row.download_bytes,
        "dataUsed": f"{Decimal(row.upload_bytes + row.download_bytes) / 10**9:.2f} GB",
        "framedIp": row.address,
        "macAddress": row.mac,
        "terminateCause": None,
    }


@access.staff("customers:view", GET="pppoe:view")
class Sessions(Endpoint):
    @extend_schema(parameters=[PageQuery], responses=SessionPage, operation_id="customers_sessions", tags=["customers"])
    def get(self, request: Request, customer_id: UUID) -> Response:
        """A customer's times online, newest first."""
        customer_known(customer_id)
        page: Page[Session] = Page(sessions_all_of(customer_id), self.asked(PageQuery))
        return Response({"sessions": [session_shown(row) for row in page.rows], **page.envelope()})


class LiveShape(Shape):
    isOnline = serializers.BooleanField()
    session = SessionShape(allow_null=True)
    lastSeen = serializers.CharField(allow_null=True, help_text="For people: “5 minutes ago”.")
    lastSeenAt = serializers.DateTimeField(allow_null=True)


@access.staff("customers:view", GET="pppoe:view")
class LiveStatus(Endpoint):
    @extend_schema(responses=LiveShape, operation_id="customers_live_status", tags=["customers"])
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Whether a customer is online, as his router was read last. Nobody's router is asked for this answer."""
        customer_known(customer_id)
        latest = sessions_all_of(customer_id).first()
        is_online = bool(customers_online([customer_id]))
        body = {
            "isOnline": is_online,
            "session": session_shown(latest) if latest is not None and is_online else None,
            "lastSeen": ago(latest.seen_at) if latest is not None else None,
            "lastSeenAt": latest.seen_at if latest is not None else None,
        }
        return Response(body)


def ago(at: datetime) -> str:
    """How long ago, in the largest unit that is at least one."""
    passed = max(timedelta(0), clock.machine_now() - at)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        number = int(passed.total_seconds() // length)
        if number:
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


class RechargeBody(Strict):
    amount = serializers.DecimalField(max_digits=13, decimal_places=3, min_value=Decimal("0.001"))
    description = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class RechargeShape(Shape):
    success = serializers.BooleanField()
    newBalance = serializers.CharField(help_text="What is left in the wallet when the money has bought what it could.")
    currency = serializers.CharField()
    paymentId = serializers.UUIDField()


@access.staff("customers:view", POST="finance:income_create")
class Recharge(Endpoint):
    @extend_schema(
        parameters=[KEY],
        request=RechargeBody,
        responses={200: RechargeShape},
        operation_id="customers_recharge",
        tags=["customers"],
    )
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Cash over the counter. It goes into the wallet, and from there into what has run out."""
        customer_known(customer_id)
        data = self.read(RechargeBody)
        receipt = services.cash_receive(
            customer_id=customer_id,
            amount=data["amount"],
            description=data["description"],
            key=idempotency_key(request),
            actor=self.actor,
        )
        wallet = billing.wallet_of(customer_id, receipt.currency)
        body = {"success": True, "newBalance": str(wallet.amount), "currency": receipt.currency}
        return Response({**body, "paymentId": str(receipt.payment_id)})


class HoldBody(Strict):
    until = serializers.DateTimeField(allow_null=True, help_text="Null ends the hold.")
    reason = serializers.CharField(max_length=160, required=False, allow_blank=True, default="")


class HoldShape(Shape):
    success = serializers.BooleanField()
    until = serializers.DateTimeField(allow_null=True)


@access.staff("customers:view", PUT="cuts:hold")
class Hold(Endpoint):
    @extend_schema(request=HoldBody, responses=HoldShape, operation_id="customers_hold", tags=["customers"])
    def put(self, request: Request, customer_id: UUID) -> Response:
        """Keep a customer's lines until an instant within 90 days, paid or not, and give back what was cut."""
        customer_known(customer_id)
        data = self.read(HoldBody)
        services.customer_hold(customer_id=customer_id, until=data["until"], reason=data["reason"], actor=self.actor)
        return Response({"success": True, "until": data["until"]})
