"""A customer's package is changed by a program of staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import selectors, services
from billing.models import Subscription
from customers.selectors import customer_known
from ispbilling.kernel import access
from ispbilling.kernel.errors import Conflict, NotFound
from ispbilling.kernel.rest import Endpoint, Shape, Strict


class PackageBody(Strict):
    packageId = serializers.UUIDField()
    subscriptionId = serializers.UUIDField(
        required=False, help_text="Which of several; without it his oldest that has not ended."
    )
    mode = serializers.ChoiceField(
        choices=["time", "wallet", "renewal"],
        default="time",
        help_text="What is left of the old one: becomes time of the new one, goes into the wallet (which pays a whole"
        " period), or is used up first.",
    )


class PackageName(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()


class PackageAnswer(Shape):
    success = serializers.BooleanField()
    package = PackageName(help_text="The new one.")
    changesAt = serializers.DateTimeField(allow_null=True, help_text="Null: it has changed.")
    expiresAt = serializers.DateTimeField(allow_null=True)


@access.staff("customers:view", PUT="pppoe:edit")
class CustomerPackage(Endpoint):
    @extend_schema(
        request=PackageBody, responses=PackageAnswer, operation_id="customers_package_change", tags=["customers"]
    )
    def put(self, request: Request, customer_id: UUID) -> Response:
        """Change the package. The new speed goes to the line by itself."""
        customer_known(customer_id)
        data = self.read(PackageBody)
        subscription = _chosen(customer_id, data.get("subscriptionId"))
        wanted: dict[str, Any] = {"subscription_id": subscription.id, "package_id": data["packageId"]}
        if data["mode"] == "renewal":
            changed = services.package_change_schedule(**wanted, actor=self.actor)
        else:
            changed = services.package_change(**wanted, into=data["mode"], actor=self.actor)
        package = changed.package_to_buy
        return Response(
            {
                "success": True,
                "package": {"id": str(package.id), "name": package.name},
                "changesAt": changed.package_changes_at,
                "expiresAt": changed.expires_at,
            }
        )


def _chosen(customer_id: UUID, subscription_id: UUID | None) -> Subscription:
    rows = selectors.subscriptions_of(customer_id)
    if subscription_id is not None:
        found = next((row for row in rows if row.id == subscription_id), None)
        if found is None:
            raise NotFound("subscription.unknown", "There is no such subscription.")
        return found
    if not rows:
        raise Conflict("subscription.none", "This customer has no subscription.")
    return rows[0]
