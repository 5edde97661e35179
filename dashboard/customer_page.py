"""One customer: his page, what can be done there, and how he is entered."""

from __future__ import annotations

import secrets
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.services import actor_of
from billing.selectors import dues_of, subscriptions_latest, wallet_of
from billing.services import days_give, subscriptions_go_on, subscriptions_stop
from customers.models import NEVER
from customers.selectors import customer_get
from customers.services import area_name, customer_edit
from dashboard import services
from dashboard.customer_forms import CustomerForm, GiftForm, LineForm
from dashboard.selectors import STANDING_TONES
from ispbilling.kernel import access, idempotency, panels
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.money import Money
from network.selectors import lines_of
from network.services import line_open


@require_safe
@access.staff("customers:view")
def customer(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Everything about one customer: each app's panel loads into its place; ``tab`` shows one of them alone."""
    row = customer_get(customer_id)
    granted, tenant = request.granted, request.tenant  # type: ignore[attr-defined]
    found = [panel for panel in panels.panels_of("customer") if panel.permission in granted]
    tab = next((panel for panel in found if panel.url == request.GET.get("tab")), None)
    latest = subscriptions_latest([row.id]).get(row.id)
    here = reverse("dashboard:customer", args=[row.id])
    tabs = [{"url": here, "label": _("Overview"), "active": tab is None}]
    tabs += [{"url": f"{here}?tab={one.url}", "label": one.title, "active": one is tab} for one in found]
    balance = None
    if "billing:view" in granted:
        due = dues_of([row.id], tenant.currency).get(row.id, Money.zero(tenant.currency))
        balance = wallet_of(row.id, tenant.currency) - due
    key = secrets.token_hex(16)
    context = {
        "customer": row,
        "phones": list(row.phones.order_by("-is_primary", "id")),
        "panels": [tab] if tab else found,
        "tabs": tabs,
        "tab": tab,
        "tone": STANDING_TONES.get(row.standing, "muted"),
        "latest": latest,
        "paid_until": None if row.paid_until >= NEVER else row.paid_until,
        "is_stopped": latest is not None and latest.stopped_at is not None,
        "balance": balance,
        "granted": granted,
        "undo_note": _id(request.GET.get("undo_note", "")),
        "undo_file": _id(request.GET.get("undo_file", "")),
        "gift_form": GiftForm(initial={"key": key}, auto_id="gift_%s"),
    }
    return render(request, "dashboard/customer_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("customers:edit")
def edit(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Change who a customer is and how to reach him."""
    row, country = customer_get(customer_id), request.tenant.country  # type: ignore[attr-defined]
    phones = list(row.phones.order_by("-is_primary", "id").values_list("number", flat=True))
    if request.method == "POST":
        form = CustomerForm(request.POST, country=country)
        if form.is_valid():
            actor, data = _actor(request), form.cleaned_data
            try:
                area = area_name(name=data["area"], district=data["district"], upazila=data["upazila"], actor=actor)
                customer_edit(
                    customer_id=row.id,
                    name=data["name"],
                    phones=form.numbers(),
                    email=data["email"],
                    address=data["address"],
                    language=data["language"],
                    area=area,
                    actor=actor,
                )
            except DomainError as error:
                _problem_tell(form, error)
            else:
                messages.success(request, _("The changes are kept."))
                return redirect("dashboard:customer", customer_id=row.id)
    else:
        form = CustomerForm(initial=CustomerForm.values_of(row, phones, country), country=country)
    context = {"customer": row, "form": form}
    return render(request, "dashboard/customer_edit.html", context, status=422 if form.errors else 200)


@require_POST
@access.staff("customers:gift")
def gift(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Give days for nothing. A form sent twice gives once."""
    row, form = customer_get(customer_id), GiftForm(request.POST)
    if not form.is_valid():
        return _refused(request, form, row.id)
    data = form.cleaned_data

    def act() -> dict[str, str]:
        done = days_give(customer_id=row.id, days=data["days"], reason=data["reason"], actor=_actor(request))
        return {"subscription": str(done.id)}

    intention = {"customer": str(row.id), "days": data["days"], "reason": data["reason"]}
    idempotency.once(scope="gift", key=data["key"], intention=intention, act=act)
    messages.success(request, _("The days are given."))
    return redirect("dashboard:customer", customer_id=row.id)


@require_POST
@access.staff("customers:stop")
def stop(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Suspend a customer's lines, or with ``do`` = ``go_on`` let them be what they are paid to be."""
    row = customer_get(customer_id)
    if row.deleted_at is not None:
        raise DomainError("customer.deleted", _("This customer is deleted: bring them back first."))
    if request.POST.get("do") == "go_on":
        subscriptions_go_on(customer_id=row.id, actor=_actor(request))
        messages.success(request, _("The lines are what they are paid to be again."))
    else:
        subscriptions_stop(customer_id=row.id, actor=_actor(request))
        messages.success(request, _("The lines are suspended, whatever is paid for."))
    return redirect("dashboard:customer", customer_id=row.id)


@require_POST
@access.staff("pppoe:delete")
def delete(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Delete a customer, or with ``do`` = ``restore`` bring him back."""
    row = customer_get(customer_id)
    if request.POST.get("do") == "restore":
        services.customer_bring_back(customer_id=row.id, actor=_actor(request))
        messages.success(request, _("The customer is back, with the lines as they are paid for."))
    else:
        services.customer_remove(customer_id=row.id, actor=_actor(request))
        messages.success(
            request, _("The customer is deleted and the lines are stopped. Both can be brought back here.")
        )
    return redirect("dashboard:customer", customer_id=row.id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("pppoe:add_user")
def line_add(request: HttpRequest) -> HttpResponse:
    """A new customer with a line."""
    form = LineForm(request.POST or None, currency=request.tenant.currency)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        package_id, router_id = form.ids()
        data = form.cleaned_data
        try:
            line = line_open(
                name=data["name"],
                phones=[data["phone"]],
                address=data["address"],
                package_id=package_id,
                router_id=router_id,
                username=data["username"],
                password=data["password"],
                actor=_actor(request),
            )
        except DomainError as error:
            _problem_tell(form, error)
        else:
            request.session["line_opened"] = str(line.id)
            messages.success(request, _("The line is open. It goes online when the first payment arrives."))
            return redirect("dashboard:line_opened", customer_id=line.customer_id)
    return render(request, "dashboard/line_form.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_safe
@access.staff("pppoe:add_user")
def line_opened(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """What is entered in the customer's router: its password is shown to whoever opened the line, once."""
    row = customer_get(customer_id)
    line = next(iter(lines_of(row.id)), None)
    is_first = line is not None and request.session.get("line_opened") == str(line.id)
    if is_first:
        del request.session["line_opened"]
    password = line.password.reveal() if line is not None and is_first else ""
    return render(request, "dashboard/line_opened.html", {"customer": row, "line": line, "password": password})


def _actor(request: HttpRequest) -> str:
    return actor_of(request.user.id)  # type: ignore[arg-type]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _problem_tell(form: Form, error: DomainError) -> None:
    """Put a refusal at the field it is about, else above the form."""
    names = {"phone": "phones"} if "phones" in form.fields else {"phones": "phone"}
    for field in error.fields or {}:
        shown = names.get(field, field)
        if shown in form.fields:
            form.add_error(shown, str(error.message))
    if not form.errors:
        form.add_error(None, str(error.message))


def _refused(request: HttpRequest, form: Form, customer_id: UUID) -> HttpResponse:
    """Back to the page, with the first thing that is wrong."""
    field, errors = next(iter(form.errors.items()))
    label = form.fields[field].label if field in form.fields else ""
    messages.error(request, f"{label}: {errors[0]}".strip(": "))
    return redirect("dashboard:customer", customer_id=customer_id)
