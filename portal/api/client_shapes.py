"""What the customer's app sends and gets: the words of seed 000, amounts as text."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.models import Invoice
from ispbilling.kernel.rest import EnvelopeShape, PageQuery, Shape, Strict
from packages.api.shapes import AppPackage
from payments.models import Payment


class PackagesShape(Shape):
    packages = AppPackage(many=True)
    total = serializers.IntegerField()


class ProfilePackage(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    speed = serializers.CharField()
    price = serializers.CharField()
    validity_days = serializers.IntegerField()
    description = serializers.CharField()


class Profile(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    phone = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    customer_code = serializers.CharField()
    address = serializers.CharField(allow_null=True)
    language = serializers.CharField()
    status = serializers.CharField()
    expiry_date = serializers.DateTimeField(allow_null=True)
    days_remaining = serializers.IntegerField()
    due_amount = serializers.CharField(help_text="What invoices ask for and was not paid.")
    wallet_balance = serializers.CharField()
    currency = serializers.CharField()
    monthly_bill = serializers.CharField(allow_null=True, help_text="The price of one period.")
    connection_date = serializers.DateTimeField()
    last_payment_date = serializers.DateTimeField(allow_null=True)
    pppoe_username = serializers.CharField(allow_null=True)
    onu_mac = serializers.CharField(allow_null=True)
    package = ProfilePackage(allow_null=True)
    area = serializers.CharField(allow_null=True)


class ProfileChange(Strict):
    name = serializers.CharField(max_length=120, required=False)
    email = serializers.EmailField(required=False, allow_blank=True)
    address = serializers.CharField(required=False, allow_blank=True, max_length=200)


class NewSubscription(Strict):
    packageId = serializers.UUIDField()


class UsageQuery(serializers.Serializer):  # type: ignore[type-arg]
    period = serializers.ChoiceField(choices=["day", "week", "month"], default="month")


class Usage(Shape):
    period = serializers.ChoiceField(choices=["day", "week", "month"])
    totalDownloadGB = serializers.FloatField(help_text="1 GB = 1024^3 bytes, as the app counts.")
    totalUploadGB = serializers.FloatField()
    totalGB = serializers.FloatField()
    downloadBytes = serializers.IntegerField()
    uploadBytes = serializers.IntegerField()
    readings = serializers.IntegerField()


class PreviewQuery(serializers.Serializer):  # type: ignore[type-arg]
    subscriptionId = serializers.UUIDField(required=False, help_text="Without it: the only one.")
    months = serializers.IntegerField(min_value=1, max_value=1000, help_text="Periods, by the name the app knows.")


class RechargeOption(Shape):
    months = serializers.IntegerField()
    discountPercent = serializers.CharField()


class RechargeOptions(Shape):
    options = RechargeOption(many=True)


class Preview(Shape):
    subscriptionId = serializers.UUIDField()
    months = serializers.IntegerField()
    subtotal = serializers.CharField()
    discountPercent = serializers.CharField()
    discountAmount = serializers.CharField()
    total = serializers.CharField()
    currency = serializers.CharField()
    newExpiry = serializers.DateTimeField()


class RechargeRow(Shape):
    id = serializers.UUIDField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    months = serializers.IntegerField()
    payment_method = serializers.CharField()
    old_expiry = serializers.DateTimeField(allow_null=True)
    new_expiry = serializers.DateTimeField(allow_null=True)
    discount = serializers.CharField()
    status = serializers.CharField()
    recharge_date = serializers.DateTimeField()
    collected_by_name = serializers.CharField()


class Recharges(Shape):
    recharges = RechargeRow(many=True)


class BillQuery(PageQuery):
    status = serializers.ChoiceField(choices=["all", *Invoice.State.values, "unpaid", "overdue"], default="all")
    year = serializers.IntegerField(min_value=2000, max_value=2200, required=False)


class Bill(Shape):
    id = serializers.UUIDField()
    bill_number = serializers.CharField()
    billing_month = serializers.CharField()
    bill_date = serializers.DateTimeField()
    due_date = serializers.DateField()
    amount = serializers.CharField()
    total_amount = serializers.CharField()
    paid_amount = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=["paid", "unpaid", "overdue", "void"])


class Bills(EnvelopeShape):
    bills = Bill(many=True)
    limit = serializers.IntegerField()
    totalPages = serializers.IntegerField()


class BillStatistics(Shape):
    total = serializers.IntegerField()
    paid = serializers.IntegerField()
    unpaid = serializers.IntegerField()
    overdue = serializers.IntegerField()
    totalDue = serializers.CharField()
    currency = serializers.CharField()


class Gateway(Shape):
    id = serializers.UUIDField()
    gateway = serializers.CharField()
    display_name = serializers.CharField()
    is_enabled = serializers.BooleanField()
    sandbox_mode = serializers.BooleanField()
    instructions = serializers.CharField()


class Gateways(Shape):
    gateways = Gateway(many=True)


class Pay(Strict):
    subscriptionId = serializers.UUIDField()
    months = serializers.IntegerField(min_value=1, max_value=1000)
    gatewayId = serializers.UUIDField()
    phone = serializers.CharField(max_length=30)


class PaymentRow(Shape):
    id = serializers.UUIDField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    method = serializers.CharField()
    status = serializers.ChoiceField(choices=Payment.State.choices)
    reason = serializers.CharField(help_text="Why it ended badly: funds, cancelled, no_answer, … Empty else.")
    transactionId = serializers.CharField(allow_null=True)
    createdAt = serializers.DateTimeField()


class PaymentPage(EnvelopeShape):
    payments = PaymentRow(many=True)


def payment_row(row: Payment) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "amount": str(row.money.amount),
        "currency": row.currency,
        "method": row.account.provider,
        "status": row.state,
        "reason": row.reason,
        "transactionId": row.receipt,
        "createdAt": row.created_at,
    }
