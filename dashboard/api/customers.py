"""Customers, for programs of staff: listed, entered, changed, deleted, brought back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.selectors import paid_of
from customers.models import Customer
from customers.selectors import customer_get, customer_known
from customers.services import customer_create, customer_edit
from dashboard import services
from dashboard.api import shapes
from dashboard.customer_book import Card, cards, customers_asked, last_seen
from dashboard.customer_list import counted
from ispbilling.kernel import access
from ispbilling.kernel.rest import Endpoint, Page
from network.services import line_open

_PAGES = PolymorphicProxySerializer(
    component_name="CustomerPages",
    serializers=[shapes.CustomerPage, shapes.LegacyPage],
    resource_type_field_name=None,
    many=False,
)

#: What of a query changes how many there are.
_NARROWING = {"search", "status", "connectionType", "packageId", "deleted"}


class OfCustomers(Endpoint):
    """What the endpoints of customers have in common."""

    @property
    def sees_money(self) -> bool:
        return "billing:view" in self.inner.granted

    def cards(self, customers: list[Customer], *, is_full: bool = True) -> list[Card]:
        currency = self.inner.tenant.currency
        return cards(customers, currency=currency, with_money=self.sees_money, is_full=is_full)

    def detail(self, customer: Customer, status: int = 200) -> Response:
        [card] = self.cards([customer])
        seen = last_seen(customer.id)
        spent = str(paid_of(customer.id, card.currency).amount) if self.sees_money else None
        body = shapes.customer_detail(
            card, address=seen.address if seen else None, mac=seen.mac if seen else None, spent=spent
        )
        return Response(body, status=status)


@access.staff("customers:view", POST="pppoe:add_user")
class Customers(OfCustomers):
    @extend_schema(
        parameters=[shapes.CustomerQuery], responses={200: _PAGES}, operation_id="customers_list", tags=["customers"]
    )
    def get(self, request: Request) -> Response:
        """Customers, newest first. `shape=legacy` gives the body of the older app."""
        asked = self.asked(shapes.CustomerQuery)
        rows = customers_asked(asked)
        total = counted(rows, f"api {sorted((key, str(asked[key])) for key in _NARROWING & asked.keys())}")
        page: Page[Customer] = Page(rows, asked, total=total)
        found = self.cards(page.rows, is_full=asked["shape"] == "legacy")
        if asked["shape"] == "legacy":
            zone = self.inner.tenant.zone_info
            kept = {name: value for name, value in page.envelope().items() if name not in ("page", "pageSize")}
            return Response({"customers": [shapes.legacy_customer(card, zone) for card in found], **kept})
        return Response({"customers": [shapes.customer_item(card) for card in found], **page.envelope()})

    @extend_schema(
        request=shapes.NewCustomer,
        responses={201: shapes.CustomerDetail},
        operation_id="customers_create",
        tags=["customers"],
    )
    def post(self, request: Request) -> Response:
        """Enter a customer, with `packageId` and `nasId` also his line. No answer ever shows its password."""
        data = self.read(shapes.NewCustomer)
        common: dict[str, Any] = {
            "name": data["name"],
            "phones": [data["phone"]],
            "email": data["email"],
            "address": data.get("location") or data.get("address") or "",
            "actor": self.actor,
        }
        if "packageId" in data:
            line = line_open(
                **common,
                package_id=data["packageId"],
                router_id=data["nasId"],
                username=data.get("username", ""),
                password=data.get("password", ""),
            )
            return self.detail(customer_get(line.customer_id), status=201)
        return self.detail(customer_create(**common), status=201)


@access.staff("customers:view", PUT="pppoe:edit", PATCH="pppoe:edit", DELETE="pppoe:delete")
class CustomerOne(OfCustomers):
    @extend_schema(responses=shapes.CustomerDetail, operation_id="customers_get", tags=["customers"])
    def get(self, request: Request, customer_id: UUID) -> Response:
        return self.detail(customer_known(customer_id))

    def _change(self, customer_id: UUID) -> Response:
        customer = customer_known(customer_id)
        data = self.read(shapes.CustomerChange)
        numbers = list(customer.phones.order_by("-is_primary", "id").values_list("number", flat=True))
        if "phone" in data:
            numbers[:1] = [data["phone"]]
        changed = customer_edit(
            customer_id=customer_id,
            name=data.get("name", customer.name),
            phones=numbers,
            email=data.get("email", customer.email),
            address=data.get("location", data.get("address", customer.address)),
            actor=self.actor,
        )
        return self.detail(changed)

    @extend_schema(
        request=shapes.CustomerChange, responses=shapes.CustomerDetail, operation_id="customers_put", tags=["customers"]
    )
    def put(self, request: Request, customer_id: UUID) -> Response:
        """The same as PATCH: what is not sent stays."""
        return self._change(customer_id)

    @extend_schema(
        request=shapes.CustomerChange,
        responses=shapes.CustomerDetail,
        operation_id="customers_patch",
        tags=["customers"],
    )
    def patch(self, request: Request, customer_id: UUID) -> Response:
        return self._change(customer_id)

    @extend_schema(responses={200: shapes.Deleted}, operation_id="customers_delete", tags=["customers"])
    def delete(self, request: Request, customer_id: UUID) -> Response:
        """Stop a customer's lines and hide him. Nothing is lost: see restore."""
        services.customer_remove(customer_id=customer_id, actor=self.actor)
        return Response({"success": True})


@access.staff("customers:view", POST="pppoe:delete")
class Restore(OfCustomers):
    @extend_schema(request=None, responses=shapes.CustomerDetail, operation_id="customers_restore", tags=["customers"])
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Bring a deleted customer back, with his lines as they are paid for."""
        return self.detail(services.customer_bring_back(customer_id=customer_id, actor=self.actor))
