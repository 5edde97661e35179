"""The customer's own: plan, profile, use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Tenant
from billing import selectors as billing
from billing.api.shapes import InvoicePage, SubscriptionList, SubscriptionShape, invoice_shown, subscription_shown
from billing.models import Subscription
from billing.services import subscription_create
from customers.models import Customer
from customers.selectors import phone_of
from customers.services import customer_edit
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import Conflict, NotFound
from ispbilling.kernel.rest import Endpoint, Page, PageQuery
from network.selectors import lines_of, usage_since
from packages.api.shapes import app_package, speed_text, validity_days
from packages.selectors import packages_on_sale
from portal.api import client_shapes as shapes

GB = 1024**3
_PERIODS = {"day": 1, "week": 7, "month": 30}


@access.customer()
class Own(Endpoint):
    """What every endpoint of a customer knows: who he is."""

    @property
    def customer(self) -> Customer:
        found: Customer = self.inner.customer
        return found

    @property
    def tenant(self) -> Tenant:
        found: Tenant = self.inner.tenant
        return found

    def subscription(self, wanted: Any) -> Subscription:
        """The one that is meant; without an id the only one. Raises NotFound."""
        rows = billing.subscriptions_of(self.customer.id)
        fitting = [row for row in rows if wanted in (None, row.id)]
        if len(fitting) != 1:
            raise NotFound("subscription.unknown", "There is no such subscription.")
        return fitting[0]


class Packages(Own):
    @extend_schema(responses=shapes.PackagesShape, operation_id="client_packages", tags=["client"])
    def get(self, request: Request) -> Response:
        """What is on sale, in the provider's order."""
        rules = billing.rules_current()
        rows = [app_package(row, rules.price_of(row)) for row in packages_on_sale()]
        return Response({"packages": rows, "total": len(rows)})


class Subscriptions(Own):
    @extend_schema(responses=SubscriptionList, operation_id="client_subscriptions", tags=["client"])
    def get(self, request: Request) -> Response:
        rules = billing.rules_current()
        rows = [subscription_shown(row, rules) for row in billing.subscriptions_of(self.customer.id)]
        return Response({"subscriptions": rows, "total": len(rows)})

    @extend_schema(
        request=shapes.NewSubscription,
        responses={201: SubscriptionShape},
        operation_id="client_subscribe",
        tags=["client"],
    )
    def post(self, request: Request) -> Response:
        """Take a package, unpaid so far. One at a time: whoever has one is answered 409."""
        data = self.read(shapes.NewSubscription)
        if billing.subscriptions_of(self.customer.id):
            raise Conflict("subscription.exists", "You have a subscription. Ask your provider for another package.")
        made = subscription_create(customer_id=self.customer.id, package_id=data["packageId"], actor=self.actor)
        row = billing.subscription_get(made.id)
        return Response(subscription_shown(row, billing.rules_current()), status=201)


class Invoices(Own):
    @extend_schema(parameters=[PageQuery], responses=InvoicePage, operation_id="client_invoices", tags=["client"])
    def get(self, request: Request) -> Response:
        """Newest first."""
        page = Page(billing.invoices_with_paid(billing.invoices_of(self.customer.id)), self.asked(PageQuery))
        return Response({"invoices": [invoice_shown(row) for row in page.rows], **page.envelope()})


class ProfileOne(Own):
    @extend_schema(responses=shapes.Profile, operation_id="client_profile", tags=["client"])
    def get(self, request: Request) -> Response:
        """Everything about oneself in one answer."""
        return Response(self._profile(self.customer))

    @extend_schema(
        request=shapes.ProfileChange, responses=shapes.Profile, operation_id="client_profile_patch", tags=["client"]
    )
    def patch(self, request: Request) -> Response:
        """Change name, e-mail or address. A telephone is changed by the provider: one signs in with it."""
        data, customer = self.read(shapes.ProfileChange), self.customer
        changed = customer_edit(
            customer_id=customer.id,
            name=data.get("name", customer.name),
            phones=list(customer.phones.order_by("-is_primary", "id").values_list("number", flat=True)),
            email=data.get("email", customer.email),
            address=data.get("address", customer.address),
            actor=self.actor,
        )
        return Response(self._profile(changed))

    def _profile(self, customer: Customer) -> dict[str, Any]:
        at, currency = clock.now(), self.tenant.currency
        rows = billing.subscriptions_of(customer.id)
        plan = rows[-1] if rows else None
        lines = lines_of(customer.id)
        last = billing.receipts_of(customer.id).first()
        expires = plan.expires_at if plan is not None else None
        left = max(timedelta(0), expires - at) if expires is not None else timedelta(0)
        package = plan.package if plan is not None else None
        price = str(billing.rules_current().price_of(package).amount) if package is not None else None
        return {
            "id": str(customer.id),
            "name": customer.name,
            "phone": phone_of(customer.id),
            "email": customer.email or None,
            "customer_code": customer.code,
            "address": customer.address or None,
            "language": customer.language or self.tenant.language,
            "status": billing.status_of(plan, at),
            "expiry_date": expires,
            "days_remaining": left.days,
            "due_amount": str(billing.due_of(customer.id, currency).amount),
            "wallet_balance": str(billing.wallet_of(customer.id, currency).amount),
            "currency": currency,
            "monthly_bill": price,
            "connection_date": customer.created_at,
            "last_payment_date": last.received_at if last is not None else None,
            "pppoe_username": lines[-1].username if lines else None,
            "onu_mac": None,
            "package": {
                "id": str(package.id),
                "name": package.name,
                "speed": speed_text(package.speed_profile.download_kbps),
                "price": price,
                "validity_days": validity_days(package),
                "description": package.description,
            }
            if package is not None
            else None,
            "area": None,
        }


class UsageOne(Own):
    @extend_schema(parameters=[shapes.UsageQuery], responses=shapes.Usage, operation_id="client_usage", tags=["client"])
    def get(self, request: Request) -> Response:
        """What was used within the last day, 7 or 30 days. A session that began before counts by its share of time."""
        period = self.asked(shapes.UsageQuery)["period"]
        used = usage_since(self.customer.id, clock.machine_now() - timedelta(days=_PERIODS[period]))
        return Response(
            {
                "period": period,
                "totalDownloadGB": round(used.download_bytes / GB, 3),
                "totalUploadGB": round(used.upload_bytes / GB, 3),
                "totalGB": round((used.download_bytes + used.upload_bytes) / GB, 3),
                "downloadBytes": used.download_bytes,
                "uploadBytes": used.upload_bytes,
                "readings": used.readings,
            }
        )
