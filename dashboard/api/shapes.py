"""What programs of staff send and get about customers: the shape of seed 002, and that of seed 004 on request."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from customers.models import Customer
from dashboard.customer_book import Card
from ispbilling.kernel.rest import EnvelopeShape, PageQuery, Shape, Strict

STATUSES = ["pending", "active", "expired", "suspended", "disabled"]


class AnyCase(serializers.ChoiceField):
    """A choice, however it is written."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.lower() if isinstance(data, str) else data)


class CustomerQuery(PageQuery):
    search = serializers.CharField(required=False, max_length=80, help_text="User name, name, phone, code, e-mail.")
    status = AnyCase(choices=STATUSES, required=False)
    connectionType = AnyCase(choices=["pppoe", "hotspot", "dhcp", "static"], required=False)
    packageId = serializers.UUIDField(required=False)
    deleted = serializers.BooleanField(default=False, help_text="Those that were deleted, instead of the others.")
    sort_by = serializers.ChoiceField(choices=["created_at", "name"], default="created_at")
    sort_order = serializers.ChoiceField(choices=["asc", "desc"], default="desc")
    shape = serializers.ChoiceField(choices=["default", "legacy"], default="default")


class NewCustomer(Strict):
    """With `packageId` and `nasId` a PPPoE line is opened too; without both, the customer alone."""

    name = serializers.CharField(max_length=120)
    phone = serializers.CharField(max_length=30)
    email = serializers.EmailField(required=False, allow_blank=True, default="")
    location = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="The address.")
    address = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="The same.")
    connectionType = AnyCase(choices=["pppoe"], default="pppoe")
    username = serializers.CharField(required=False, max_length=60, help_text="Without it: the customer's code.")
    password = serializers.CharField(
        required=False, max_length=60, trim_whitespace=False, write_only=True, help_text="Without it one is made."
    )
    packageId = serializers.UUIDField(required=False)
    nasId = serializers.UUIDField(required=False, help_text="The router.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("packageId" in attrs) != ("nasId" in attrs):
            raise serializers.ValidationError(_("packageId and nasId go together."))
        if "packageId" not in attrs and ("username" in attrs or "password" in attrs):
            raise serializers.ValidationError(_("A user name needs packageId and nasId."))
        return attrs


class CustomerChange(Strict):
    """Any subset."""

    name = serializers.CharField(max_length=120, required=False)
    phone = serializers.CharField(max_length=30, required=False, help_text="The primary one; others stay.")
    email = serializers.EmailField(required=False, allow_blank=True)
    location = serializers.CharField(required=False, allow_blank=True, max_length=200)
    address = serializers.CharField(required=False, allow_blank=True, max_length=200)


class PackageRef(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    price = serializers.CharField()


class PackageDetailRef(PackageRef):
    downloadSpeed = serializers.IntegerField()
    uploadSpeed = serializers.IntegerField()
    dataLimit = serializers.IntegerField(allow_null=True, help_text="Bytes; null: none.")


class RouterRef(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    ipAddress = serializers.CharField()


class CustomerItem(Shape):
    id = serializers.UUIDField()
    code = serializers.CharField()
    username = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    connectionType = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    expiresAt = serializers.DateTimeField(allow_null=True)
    location = serializers.CharField(allow_null=True)
    walletBalance = serializers.CharField(allow_null=True, help_text="Null without billing:view.")
    currency = serializers.CharField()
    package = PackageRef(allow_null=True)
    router = RouterRef(allow_null=True)
    isOnline = serializers.BooleanField()
    createdAt = serializers.DateTimeField()


class CustomerDetail(CustomerItem):
    package = PackageDetailRef(allow_null=True)
    lastIp = serializers.CharField(allow_null=True)
    lastMac = serializers.CharField(allow_null=True)
    totalSpent = serializers.CharField(allow_null=True, help_text="Null without billing:view.")


class CustomerPage(EnvelopeShape):
    customers = CustomerItem(many=True)


class ServicePlan(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    speed = serializers.CharField()
    price = serializers.CharField()


class LegacyCustomer(Shape):
    """Seed 004: instants in the tenant's time, without offset."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()
    status = serializers.CharField()
    join_date = serializers.CharField()
    balance = serializers.CharField(allow_null=True)
    package = serializers.CharField()
    usage_percentage = serializers.IntegerField(allow_null=True)
    device_count = serializers.IntegerField()
    last_payment_date = serializers.CharField(allow_null=True)
    created_at = serializers.CharField()
    updated_at = serializers.CharField()
    service_plan_id = serializers.UUIDField(allow_null=True)
    service_plan = ServicePlan(allow_null=True)


class LegacyPage(Shape):
    customers = LegacyCustomer(many=True)
    total = serializers.IntegerField()
    pages = serializers.IntegerField()
    current_page = serializers.IntegerField()
    per_page = serializers.IntegerField()


class Deleted(Shape):
    success = serializers.BooleanField()


def customer_item(card: Card) -> dict[str, Any]:
    customer, subscription, line = card.customer, card.subscription, card.line
    package = subscription.package if subscription is not None else None
    return {
        "id": str(customer.id),
        "code": customer.code,
        "username": line.username if line is not None else None,
        "name": customer.name,
        "email": customer.email or None,
        "phone": card.phone or None,
        "connectionType": "pppoe",
        "status": card.status,
        "expiresAt": subscription.expires_at if subscription is not None else None,
        "location": customer.address or None,
        "walletBalance": str(card.wallet.amount) if card.wallet is not None else None,
        "currency": card.currency,
        "package": {"id": str(package.id), "name": package.name, "price": str(package.money(card.currency).amount)}
        if package is not None
        else None,
        "router": {"id": str(line.router.id), "name": line.router.name, "ipAddress": line.router.host}
        if line is not None
        else None,
        "isOnline": card.is_online,
        "createdAt": customer.created_at,
    }


def customer_detail(card: Card, *, address: str | None, mac: str | None, spent: str | None) -> dict[str, Any]:
    body = customer_item(card)
    if card.subscription is not None and body["package"] is not None:
        speed = card.subscription.package.speed_profile
        body["package"] |= {
            "downloadSpeed": speed.download_kbps,
            "uploadSpeed": speed.upload_kbps,
            "dataLimit": None,
        }
    return {**body, "lastIp": address, "lastMac": mac, "totalSpent": spent}


def legacy_customer(card: Card, zone: Any) -> dict[str, Any]:
    from packages.api.shapes import speed_text

    customer: Customer = card.customer
    package = card.subscription.package if card.subscription is not None else None
    joined = customer.created_at.astimezone(zone).replace(tzinfo=None)
    paid = card.last_paid_at.astimezone(zone).replace(tzinfo=None).isoformat() if card.last_paid_at else None
    return {
        "id": str(customer.id),
        "name": customer.name,
        "email": customer.email,
        "phone": card.phone,
        "address": customer.address,
        "status": card.status,
        "join_date": joined.date().isoformat(),
        "balance": str(card.wallet.amount) if card.wallet is not None else None,
        "package": package.name if package is not None else "",
        "usage_percentage": None,
        "device_count": card.lines,
        "last_payment_date": paid,
        "created_at": joined.isoformat(),
        "updated_at": joined.isoformat(),
        "service_plan_id": str(package.id) if package is not None else None,
        "service_plan": {
            "id": str(package.id),
            "name": package.name,
            "speed": speed_text(package.speed_profile.download_kbps),
            "price": str(package.money(card.currency).amount),
        }
        if package is not None
        else None,
    }
