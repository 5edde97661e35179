"""Payments, for staff."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import role_has
from accounts.services import actor_of
from ispbilling.kernel import access, panels
from ispbilling.kernel.paging import page_of
from ispbilling.kernel.sheets import csv_response
from ispbilling.kernel.templatetags.show import local_time
from payments import resolvers, selectors, services
from payments.forms import PaymentFilter
from payments.models import Payment
from payments.timeline import entries_of, shown

#: Days whose totals stand above the list, and rows of one file.
DAYS, MOST_ROWS = 7, 20_000


@require_safe
@access.staff("billing:view")
def payments(request: HttpRequest) -> HttpResponse:
    """Payments by what was asked for, newest first, and what came each day."""
    tenant = request.tenant  # type: ignore[attr-defined]
    accounts = selectors.accounts_all()
    form = PaymentFilter(request.GET, accounts=accounts, currency=tenant.currency)
    by = form.narrowed()
    page = page_of(request, selectors.payments_narrowed(by, zone=tenant.zone_info), by="created_at")
    context = {
        "form": form,
        "is_narrowed": by != selectors.Narrowed(),
        "page": page,
        "returned": resolvers.returned_among([one.id for one in page.rows if one.customer_id is None]),
        "accounts": accounts,
        "days": DAYS,
        "daily": selectors.payments_daily(
            accounts=accounts, days=DAYS, currency=tenant.currency, zone=tenant.zone_info
        ),
        "export_url": f"{reverse('payments:payments_export')}?{request.GET.urlencode()}",
    }
    return render(request, "payments/payment_list.html", context)


@require_safe
@access.staff("billing:view")
def payments_export(request: HttpRequest) -> HttpResponse:
    """The same as a file, without pages."""
    tenant = request.tenant  # type: ignore[attr-defined]
    by = PaymentFilter(request.GET, accounts=selectors.accounts_all(), currency=tenant.currency).narrowed()
    rows = selectors.payments_narrowed(by, zone=tenant.zone_info)[:MOST_ROWS]
    header = [
        _("Started"),
        _("Customer"),
        _("Code"),
        _("State"),
        _("Method"),
        _("Receipt"),
        _("Asked"),
        _("Paid"),
        _("Currency"),
        _("Paid at"),
    ]
    return csv_response("payments", header, [_row(one, tenant.zone) for one in rows])


def _row(payment: Payment, zone: str) -> list[object]:
    customer = payment.customer
    return [
        local_time(payment.created_at, zone),
        customer.name if customer else "",
        customer.code if customer else "",
        payment.get_state_display(),
        payment.account.label,
        payment.receipt,
        payment.amount,
        payment.paid_amount,
        payment.currency,
        local_time(payment.paid_at, zone) if payment.paid_at else "",
    ]


@require_safe
@access.staff("billing:view")
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """One payment: what was asked, what the gateway said, and where the money went."""
    row = selectors.payment_get(payment_id)
    attempts, events = selectors.attempts_of(row.id), selectors.events_of(row.id)
    role = request.membership.role  # type: ignore[attr-defined]
    context = {
        "payment": row,
        "attempts": attempts,
        "entries": entries_of(row, attempts, events),
        "events": [(one, shown(bytes(one.body))) for one in events],
        "may_ask": bool(attempts) and _is_unclear(row) and role_has(role, "payments:ask"),
        "panels": [one for one in panels.panels_of("payment") if role_has(role, one.permission)],
    }
    return render(request, "payments/payment.html", context)


def _is_unclear(payment: Payment) -> bool:
    """Whether the gateway could still say something new."""
    return payment.state != Payment.State.SUCCEEDED or payment.receipt is None


@require_POST
@access.staff("payments:ask")
def payment_ask(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Have the gateway asked within seconds what became of a payment."""
    asked = services.payment_ask(payment_id=payment_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    if asked:
        messages.success(request, _("The gateway is being asked. What it says stands here in a few seconds."))
    else:
        messages.info(request, _("It was asked a moment ago. Please wait half a minute."))
    return redirect("payments:payment", payment_id=payment_id)
