"""The list of customers, and the views that are kept of it."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.services import actor_of
from customers.models import Customer
from dashboard import saved_views
from dashboard.bulk_pages import actions_of
from dashboard.customer_forms import CustomerFilterForm, ViewForm
from dashboard.customer_list import DELETED, SORTS, counted, customers_wanted
from dashboard.models import SavedView
from dashboard.selectors import customer_rows
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.paging import page_of

_FILTERS = set(CustomerFilterForm.base_fields)
#: Filters that stand open above the list; the others are folded away until one of them is set.
_USUAL = {"q", "standing", "package", "router", "sort"}


@require_safe
@access.staff("customers:view")
def customers(request: HttpRequest) -> HttpResponse:
    """Customers: found, narrowed, put in order. Asked by htmx it answers with the rows alone."""
    tenant = request.tenant  # type: ignore[attr-defined]
    zone = tenant.zone_info
    granted = request.granted  # type: ignore[attr-defined]
    views, first = saved_views.views_of(request.user.id)  # type: ignore[arg-type]
    opening = next((view for view in views if view.id == first), None)
    if opening is not None and not request.GET and opening.query:
        return redirect(f"{reverse('dashboard:customers')}?{opening.query}")
    form = CustomerFilterForm(request.GET)
    asked = form.asked(zone)
    by, is_ascending = SORTS[asked.get("sort") or "newest"]
    rows = customers_wanted(asked)
    query = saved_views.query_clean(request.GET.urlencode(), _FILTERS)
    total = counted(rows, f"page {query}")
    page = page_of(request, rows, by=by, is_ascending=is_ascending)
    may_change = "customers:bulk" in granted
    with_money = "billing:view" in granted
    context = {
        "page": page,
        "rows": customer_rows(page.rows, currency=tenant.currency, with_money=with_money),
        "zone": zone,
        "granted": granted,
        "may_choose": may_change,
        "with_money": with_money,
        "form": form,
        "total": total,
        "query": query,
        "q": asked.get("q", ""),
        "is_filtered": bool(set(asked) - {"sort"}),
        "is_folded": not (set(asked) - _USUAL) and not form.errors,
        "actions": actions_of(granted) if may_change and asked.get("standing") != DELETED else [],
        "tabs": _tabs(views, query),
        "opening": opening,
        "active": next((view for view in views if view.query == query), None),
        "view_form": ViewForm(initial={"query": query}, auto_id="view_%s"),
        "may_share": "customers:share_views" in granted,
    }
    is_part = request.headers.get("HX-Target") == "customer-rows"
    return render(request, "dashboard/_customer_rows.html" if is_part else "dashboard/customer_list.html", context)


def _tabs(views: list[SavedView], query: str) -> list[dict[str, object]]:
    here = reverse("dashboard:customers")
    standing = Customer.Standing
    usual: list[tuple[object, str]] = [(_("All"), "sort=newest")]
    usual += [(one.label, f"standing={one.value}") for one in (standing.ACTIVE, standing.SUSPENDED, standing.PENDING)]
    usual += [(_("Run out within 3 days"), urlencode(sorted({"within_days": "3", "sort": "expiry"}.items())))]
    tabs = [{"url": f"{here}?{text}", "label": label, "active": text == query} for label, text in usual]
    tabs[0]["active"] = query in ("", "sort=newest")
    tabs += [{"url": f"{here}?{view.query}", "label": view.name, "active": view.query == query} for view in views]
    return tabs


@require_POST
@access.staff("customers:view")
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the question the list was asked."""
    form = ViewForm(request.POST)
    if not form.is_valid():
        raise DomainError("view.name", _("A view needs a name of 40 letters at most."))
    query = saved_views.query_clean(form.cleaned_data["query"], _FILTERS)
    saved_views.view_save(
        user_id=request.user.id,  # type: ignore[arg-type]
        name=form.cleaned_data["name"],
        query=query,
        is_shared=form.cleaned_data["is_shared"] and "customers:share_views" in request.granted,  # type: ignore[attr-defined]
        actor=actor_of(request.user.id),  # type: ignore[arg-type]
    )
    messages.success(request, _("The view is kept as a tab above the list."))
    return redirect(f"{reverse('dashboard:customers')}?{query}")


@require_POST
@access.staff("customers:view")
def view_change(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Let the list open with a view (``do`` first), no longer (``all``), or forget the view (``delete``)."""
    user_id, do = request.user.id, request.POST.get("do", "")
    if do == "delete":
        may_share = "customers:share_views" in request.granted  # type: ignore[attr-defined]
        saved_views.view_delete(
            user_id=user_id,  # type: ignore[arg-type]
            view_id=view_id,
            may_share=may_share,
            actor=actor_of(user_id),  # type: ignore[arg-type]
        )
        messages.success(request, _("The view is gone."))
    elif do in ("first", "all"):
        saved_views.view_first(user_id=user_id, view_id=view_id, is_first=do == "first")  # type: ignore[arg-type]
        messages.success(
            request, _("Your list opens with this view.") if do == "first" else _("Your list opens with all.")
        )
    else:
        saved_views.view_get(user_id, view_id)  # type: ignore[arg-type]
        messages.error(request, _("That cannot be done with a view."))
    return redirect(f"{reverse('dashboard:customers')}?sort=newest")
