"""What programs get about subscriptions and money."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from billing import selectors
from billing.models import Invoice, Subscription
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money
from ispbilling.kernel.rest import EnvelopeShape, Shape


def idempotency_key(request: Request) -> str:
    """The caller's name for this intention; without one every request is an intention of its own."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return uuid7().hex
    if len(key) > 80 or not key.isprintable() or not key.isascii():
        raise DomainError("idempotency.key", _("An Idempotency-Key has 1 to 80 printable ASCII characters."))
    return key


class SubscriptionShape(Shape):
    id = serializers.UUIDField()
    packageId = serializers.UUIDField()
    packageName = serializers.CharField()
    price = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.CharField(help_text="pending, active, grace, suspended, ended")
    level = serializers.CharField(help_text="What it allows now: full, throttled, walled, blocked.")
    reason = serializers.CharField()
    expiresAt = serializers.DateTimeField(allow_null=True)
    isAutoRenewed = serializers.BooleanField()
    createdAt = serializers.DateTimeField()


class SubscriptionList(Shape):
    subscriptions = SubscriptionShape(many=True)
    total = serializers.IntegerField()


def subscription_shown(row: Subscription, rules: selectors.Rules) -> dict[str, Any]:
    now = selectors.entitlement_now(row, rules)
    return {
        "id": str(row.id),
        "packageId": str(row.package_id),
        "packageName": row.package.name,
        "price": str(rules.price_of(row.package).amount),
        "currency": rules.tenant.currency,
        "status": row.state,
        "level": now.level.value,
        "reason": now.reason.value,
        "expiresAt": row.expires_at,
        "isAutoRenewed": row.is_auto_renewed,
        "createdAt": row.created_at,
    }


class InvoiceShape(Shape):
    id = serializers.UUIDField()
    number = serializers.CharField()
    customerId = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Invoice.State.choices)
    net = serializers.CharField()
    tax = serializers.CharField()
    total = serializers.CharField()
    paid = serializers.CharField()
    currency = serializers.CharField()
    issuedAt = serializers.DateTimeField()
    dueOn = serializers.DateField()


class InvoicePage(EnvelopeShape):
    invoices = InvoiceShape(many=True)


def invoice_shown(row: Any) -> dict[str, Any]:
    """``row`` comes from ``selectors.invoices_with_paid``."""

    def amount(value: Any) -> str:
        return str(Money(value, row.currency).amount)

    return {
        "id": str(row.id),
        "number": row.number,
        "customerId": str(row.customer_id),
        "status": row.state,
        "net": amount(row.net),
        "tax": amount(row.tax),
        "total": amount(row.total),
        "paid": amount(row.paid),
        "currency": row.currency,
        "issuedAt": row.issued_at,
        "dueOn": row.due_on,
    }
