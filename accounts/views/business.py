"""What the business says of itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.forms import BrandForm, BusinessForm
from accounts.models import Logo, Tenant
from accounts.selectors import logo_current, tenant_of_host
from accounts.services.brand import MOST_BYTES
from ispbilling.kernel import access, tenancy
from ispbilling.kernel.colour import darkened, is_colour
from ispbilling.kernel.errors import DomainError

_SAID = ("name", "support_phone", "address", "tax_number", "invoice_footer", "zone", "language")


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("settings:business")
def business(request: HttpRequest) -> HttpResponse:
    """Name, telephone of the staff, zone, language, and what stands on papers."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    initial = {name: getattr(tenant, name) for name in _SAID}
    form = BusinessForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in initial}
        if values["zone"] != tenant.zone and not form.cleaned_data["sure"]:
            form.add_error("sure", _("Days would begin and end at another instant: tick this if that is right."))
        else:
            try:
                services.tenant_change(**values, actor=services.actor_of(request.user.id))  # type: ignore[arg-type]
            except DomainError as error:
                form.add_error("zone" if error.code == "tenant.zone" else "support_phone", error.message)
            else:
                messages.success(request, _("The settings are kept."))
                return redirect("accounts:business")
    brand_form = BrandForm(initial={"brand_color": tenant.brand_color})
    context = {"form": form, "brand_form": brand_form, "asks_sure": "sure" in form.errors}
    return render(request, "accounts/business.html", context, status=422 if form.errors else 200)


@require_POST
@access.staff("settings:business")
def brand(request: HttpRequest) -> HttpResponse:
    """Colour and logo, on the page of the business."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    form = BrandForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            changed = _brand_keep(form, services.actor_of(request.user.id))  # type: ignore[arg-type]
        except DomainError as error:
            form.add_error("logo" if error.code.startswith("logo.") else "brand_color", error.message)
        else:
            wanted = form.cleaned_data["brand_color"].lower()
            if changed.brand_color != wanted:
                said = _(
                    "The brand is kept. The colour was darkened to %(color)s, so that white text can be read on it."
                )
                messages.success(request, said % {"color": changed.brand_color})
            else:
                messages.success(request, _("The brand is kept."))
            return redirect("accounts:business")
    initial = {name: getattr(tenant, name) for name in _SAID}
    context = {"form": BusinessForm(initial=initial), "brand_form": form}
    return render(request, "accounts/business.html", context, status=422)


def _brand_keep(form: BrandForm, actor: str) -> Tenant:
    """All of it or nothing."""
    with transaction.atomic():
        if form.cleaned_data["logo_remove"]:
            services.logo_remove(actor=actor)
        elif form.cleaned_data["logo"]:
            # One byte more than is allowed tells that there is too much; the rest is never read.
            services.logo_set(content=form.cleaned_data["logo"].read(MOST_BYTES + 1), actor=actor)
        return services.brand_color_set(color=form.cleaned_data["brand_color"], actor=actor)


@require_safe
@access.public("what a visitor sees of the business before he signs in")
def brand_css(request: HttpRequest) -> HttpResponse:
    """The tenant's colour, as the one token it may set. Its address carries a version and may be kept."""
    tenant = tenant_of_host(request.get_host().split(":")[0])
    color = tenant.brand_color if tenant is not None else ""
    rules = f":root {{ --solid: {color}; --solid-hover: {darkened(color, 0.85)}; }}\n" if is_colour(color) else "\n"
    answer = HttpResponse(rules, content_type="text/css; charset=utf-8")
    answer["Cache-Control"] = _kept(request)
    return answer


def _kept(request: HttpRequest) -> str:
    """An address with a version is another one after every change; without one it is asked for again soon."""
    return "public, max-age=31536000, immutable" if request.GET.get("v") else "public, max-age=300"


@require_safe
@access.public("what a visitor sees of the business before he signs in")
def brand_logo(request: HttpRequest) -> HttpResponse:
    """The logo of the tenant whose host this is. 404 for one without."""
    tenant = tenant_of_host(request.get_host().split(":")[0])
    if tenant is None:
        raise Http404
    with tenancy.tenant_context(tenant.id):
        return _logo(logo_current(), _kept(request))


@require_safe
@access.staff("settings:business")
def logo(request: HttpRequest) -> HttpResponse:
    """The same for the page of settings, whatever host it is at."""
    return _logo(logo_current(), "private, max-age=300")


def _logo(found: Logo | None, cache: str) -> HttpResponse:
    if found is None:
        raise Http404
    answer = HttpResponse(bytes(found.content), content_type=found.media_type)
    answer["Cache-Control"] = cache
    return answer
