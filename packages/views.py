"""What is sold, for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from packages import selectors, services
from packages.forms import PackageForm
from packages.models import Package


@require_safe
@access.staff("packages:view")
def packages(request: HttpRequest) -> HttpResponse:
    """What is on sale, then what is not any more, with how many have each."""
    rows = list(selectors.packages_counted())
    context = {
        "on_sale": [row for row in rows if row.is_active],
        "retired": [row for row in rows if not row.is_active],
        "may_edit": role_has(request.membership.role, "packages:edit"),  # type: ignore[attr-defined]
    }
    return render(request, "packages/package_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("packages:edit")
def package_add(request: HttpRequest) -> HttpResponse:
    """A new package."""
    form = PackageForm(request.POST or None, currency=request.tenant.currency)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            package = services.package_create(**form.values(), actor=actor_of(request.user.id))  # type: ignore[arg-type]
        except DomainError as error:
            _refused(form, error)
        else:
            messages.success(request, _("“%(name)s” is in the list.") % {"name": package.name})
            return redirect("packages:packages")
    return render(request, "packages/package_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("packages:edit")
def package(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Change a package, or delete one nobody ever had. A new price is asked about once where somebody has it."""
    found = selectors.package_counted(package_id)
    if request.POST.get("action") == "delete":
        services.package_delete(package_id=found.id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
        messages.success(request, _("The package is gone."))
        return redirect("packages:packages")
    form = PackageForm(
        request.POST or None,
        initial=PackageForm.values_of(found),
        package=found,
        currency=request.tenant.currency,  # type: ignore[attr-defined]
    )
    if request.method == "POST" and form.is_valid():
        values = form.values()
        if _hurts(found, values) and not form.cleaned_data["sure"]:
            form.add_error("sure", _("The price changes for whoever has it: tick this if that is right."))
        else:
            try:
                services.package_edit(
                    package_id=found.id,
                    changes=values,
                    actor=actor_of(request.user.id),  # type: ignore[arg-type]
                )
            except DomainError as error:
                _refused(form, error)
            else:
                messages.success(request, _("The package is kept."))
                return redirect("packages:packages")
    context = {"form": form, "package": found, "asks_sure": "sure" in form.errors}
    return render(request, "packages/package_form.html", context, status=422 if form.errors else 200)


def _hurts(package: Package, values: dict[str, Any]) -> bool:
    return bool(package.subscribers) and values["price"] != package.price  # type: ignore[attr-defined]


def _refused(form: PackageForm, error: DomainError) -> None:
    """The service's no, at the field it is about."""
    field = {"package.name": "name", "package.price": "price", "package.features": "features"}.get(error.code)
    form.add_error(field, error.message)
