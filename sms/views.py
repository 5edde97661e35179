"""Messages, for staff: found, read, sent once more, written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from customers.selectors import customer_get, customer_known, phone_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.paging import page_of
from sms import selectors, services
from sms.forms import MessageFilterForm, WriteForm
from sms.models import Message
from sms.wording import kind_label


@require_safe
@access.staff("messages:view")
def messages(request: HttpRequest) -> HttpResponse:
    """Messages, newest first, those a filter leaves."""
    form = MessageFilterForm(request.GET)
    zone = request.tenant.zone_info  # type: ignore[attr-defined]
    rows = selectors.messages_asked(form.cleaned_data, zone) if form.is_valid() else Message.objects.none()
    page = page_of(request, rows, by="created_at")
    context = {
        "form": form,
        "page": page,
        "rows": [(row, kind_label(row.code)) for row in page.rows],
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "may_word": _may(request, "messages:wordings"),
    }
    return render(request, "sms/message_list.html", context, status=422 if form.errors else 200)


@require_safe
@never_cache
@access.staff("messages:view")
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """One message: its words, what it cost, and what the provider told of it."""
    row = selectors.message_get(message_id)
    is_over_badly = row.state in (Message.State.FAILED, Message.State.UNKNOWN)
    repeat = row.repeats.first()
    context = {
        "message": row,
        "kind": kind_label(row.code),
        "count": selectors.count_of(row.text),
        "reports": row.reports.order_by("at", "id"),
        "repeat": repeat,
        "may_repeat": is_over_badly and not row.is_secret and repeat is None and _may(request, "messages:send"),
        "is_unsure": row.state == Message.State.UNKNOWN,
    }
    return render(request, "sms/message.html", context)


@require_POST
@access.staff("messages:send")
def message_repeat(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Send the words of a message that did not arrive once more."""
    is_sure = request.POST.get("is_sure", "") == "1"
    made = services.message_repeat(message_id=message_id, is_sure=is_sure, actor=_actor(request))
    notices.success(request, _("It is sent once more, as a message of its own."))
    return redirect("sms:message", message_id=made.id)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("messages:send")
def message_write(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Write to one customer: see what it takes first, then send it."""
    customer = customer_known(customer_id)
    action = request.POST.get("action", "") if request.method == "POST" else ""
    form = WriteForm(request.POST if action else None)
    if action == "send" and form.is_valid():
        try:
            made = services.message_write(
                customer_id=customer.id,
                text=form.cleaned_data["text"],
                key=form.cleaned_data["key"],
                actor=_actor(request),
            )
        except DomainError as error:
            form.add_error("text", error.message)
        else:
            notices.success(request, _("The message is on its way."))
            return redirect("sms:message", message_id=made.id)
    context = {
        "form": form,
        "customer": customer,
        "phone": phone_of(customer.id),
        "preview": selectors.preview_of(form.data.get("text", "")) if action else None,
    }
    if action == "preview" and request.headers.get("HX-Request"):
        return render(request, "sms/_preview.html", context)
    return render(request, "sms/message_write.html", context, status=422 if form.errors else 200)


@require_safe
@access.staff("messages:view")
def customer_panel(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """A customer's messages, on his page."""
    customer = customer_get(customer_id)
    context = {
        "customer": customer,
        "rows": selectors.messages_of(customer_id),
        "may_write": customer.deleted_at is None and _may(request, "messages:send"),
    }
    return render(request, "sms/_customer_panel.html", context)


def _may(request: HttpRequest, permission: str) -> bool:
    return role_has(request.membership.role, permission)  # type: ignore[attr-defined]


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
