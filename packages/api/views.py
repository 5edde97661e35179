"""Packages, for programs of staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ispbilling.kernel import access
from ispbilling.kernel.rest import Endpoint
from packages import selectors, services
from packages.api.shapes import NewPackage, PackageChange, PackageList, PackageShape, package_shown

#: The seeds' names → ours.
_NAMES = {
    "periodUnit": "period_unit",
    "periodCount": "period_count",
    "downloadSpeed": "download_kbps",
    "uploadSpeed": "upload_kbps",
    "sortOrder": "sort_order",
    "isFeatured": "is_featured",
    "isActive": "is_active",
}


def ours(data: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, name): value for name, value in data.items()}


@access.staff("packages:view", POST="packages:edit")
class Packages(Endpoint):
    @extend_schema(responses=PackageList, operation_id="packages_list", tags=["packages"])
    def get(self, request: Request) -> Response:
        """Every package, those not on sale too, in the tenant's order."""
        rows = list(selectors.packages_all())
        shown = [package_shown(row, self.inner.tenant.currency) for row in rows]
        return Response({"packages": shown, "total": len(rows)})

    @extend_schema(request=NewPackage, responses={201: PackageShape}, operation_id="packages_create", tags=["packages"])
    def post(self, request: Request) -> Response:
        """Put a package on sale. Whether its price contains the tax is the tenant's rule."""
        package = services.package_create(**ours(self.read(NewPackage)), actor=self.actor)
        return Response(package_shown(package, self.inner.tenant.currency), status=201)


@access.staff("packages:view", PUT="packages:edit", PATCH="packages:edit", DELETE="packages:edit")
class PackageOne(Endpoint):
    @extend_schema(responses=PackageShape, operation_id="packages_get", tags=["packages"])
    def get(self, request: Request, package_id: UUID) -> Response:
        return Response(package_shown(selectors.package_get(package_id), self.inner.tenant.currency))

    def _change(self, package_id: UUID) -> Response:
        selectors.package_get(package_id)  # what does not exist is said before what is wrong with the body
        changes = ours(self.read(PackageChange))
        package = services.package_edit(package_id=package_id, changes=changes, actor=self.actor)
        return Response(package_shown(package, self.inner.tenant.currency))

    @extend_schema(request=PackageChange, responses=PackageShape, operation_id="packages_put", tags=["packages"])
    def put(self, request: Request, package_id: UUID) -> Response:
        """The same as PATCH: what is not sent stays."""
        return self._change(package_id)

    @extend_schema(request=PackageChange, responses=PackageShape, operation_id="packages_patch", tags=["packages"])
    def patch(self, request: Request, package_id: UUID) -> Response:
        return self._change(package_id)

    @extend_schema(responses={204: None}, operation_id="packages_delete", tags=["packages"])
    def delete(self, request: Request, package_id: UUID) -> Response:
        """Take a package away that nobody ever had; else 409: set `isActive` to false instead."""
        services.package_delete(package_id=package_id, actor=self.actor)
        return Response(status=204)
