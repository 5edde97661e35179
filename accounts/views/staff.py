"""Who works here, for whoever may say so."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import mail, selectors, services
from accounts.forms import InviteForm, PasswordForm, RoleForm
from accounts.models import Invitation, Role
from accounts.permissions import role_has
from ispbilling.kernel import access, clock
from ispbilling.kernel.errors import DomainError


@require_safe
@access.staff("staff:view")
def staff(request: HttpRequest) -> HttpResponse:
    """Everybody who works here, and who was asked to."""
    by: Any = request.membership  # type: ignore[attr-defined]
    now = clock.machine_now()
    context = {
        "members": [(row, services.may_manage(by, row.role)) for row in selectors.members_all()],
        "invitations": [(row, row.expires_at <= now) for row in selectors.invitations_open()],
        "may_edit": role_has(by.role, "staff:edit"),
    }
    return render(request, "accounts/staff.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("staff:edit")
def invite(request: HttpRequest) -> HttpResponse:
    """Ask a person to work here, by a link."""
    by: Any = request.membership  # type: ignore[attr-defined]
    form = InviteForm(request.POST or None, roles=_roles(by))
    if request.method == "POST" and form.is_valid():
        try:
            made, key = services.invitation_create(**form.cleaned_data, by=by, actor=_actor(request))
        except DomainError as error:
            form.add_error("email", error.message)
        else:
            _send(request, made, key)
            return redirect("accounts:staff")
    context = {"form": form, "may_see_roles": role_has(by.role, "staff:roles")}
    return render(request, "accounts/invite.html", context, status=422 if form.errors else 200)


@require_POST
@access.staff("staff:edit")
def invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Send an open invitation again, with a new link, or take it back."""
    by: Any = request.membership  # type: ignore[attr-defined]
    if request.POST.get("action") == "withdraw":
        services.invitation_withdraw(invitation_id=invitation_id, by=by, actor=_actor(request))
        messages.success(request, _("The invitation is taken back. Its link opens no more."))
    else:
        made, key = services.invitation_renew(invitation_id=invitation_id, by=by, actor=_actor(request))
        _send(request, made, key)
    return redirect("accounts:staff")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("staff:edit")
def member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """One of them: his role, his second factor, his sessions, and letting him go."""
    by: Any = request.membership  # type: ignore[attr-defined]
    row = selectors.member_get(member_id)
    action = request.POST.get("action", "") if request.method == "POST" else ""
    role_form = RoleForm(request.POST if action == "role" else None, roles=_roles(by), initial={"role": row.role})
    reset_form = PasswordForm(request.POST if action == "reset" else None, request=request, auto_id="reset_%s")
    if action:
        try:
            said = _act(request, member_id, action, role_form, reset_form)
        except DomainError as error:
            messages.error(request, error.message)
            return redirect("accounts:member", member_id=member_id)
        if said:
            messages.success(request, said)
            return redirect("accounts:member", member_id=member_id)
    context = {
        "member": row,
        "sessions": selectors.sign_ins_of(row.user),
        "is_own": row.user_id == by.user_id,
        "may_manage": services.may_manage(by, row.role),
        "role_form": role_form,
        "reset_form": reset_form,
    }
    bad = role_form.errors or reset_form.errors
    return render(request, "accounts/member.html", context, status=422 if bad else 200)


def _act(request: HttpRequest, member_id: UUID, action: str, role_form: RoleForm, reset_form: PasswordForm) -> str:
    """Do it. What to say of it; empty when the form is wrong or nothing of that name can be done."""
    who: dict[str, Any] = {
        "member_id": member_id,
        "by": request.membership,  # type: ignore[attr-defined]
        "actor": _actor(request),
    }
    if action == "role" and role_form.is_valid():
        services.member_role_set(role=role_form.cleaned_data["role"], **who)
        return _("The role is changed.")
    if action == "reset" and reset_form.is_valid():
        services.member_second_factor_reset(**who)
        return _("The second factor is switched off and all sessions are ended.")
    if action == "off":
        services.member_deactivate(**who)
        return _("This person is let go, and signed out everywhere.")
    if action == "on":
        services.member_activate(**who)
        return _("This person works here again.")
    if action == "end":
        count = services.member_sign_ins_end(**who)
        return ngettext("%(n)d session is ended.", "%(n)d sessions are ended.", count) % {"n": count}
    return ""


def _roles(by: Any) -> list[tuple[str, str]]:
    """The roles somebody may give."""
    return [(value, str(label)) for value, label in Role.choices if services.may_manage(by, value)]


def _send(request: HttpRequest, made: Invitation, key: str) -> None:
    """By mail once it is certain, and to the inviter's eyes now: the key is kept nowhere."""
    link = request.build_absolute_uri(reverse("account_invitation", args=[key]))
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    transaction.on_commit(
        partial(mail.invitation_send, made, link=link, tenant_name=tenant.name, language=tenant.language)
    )
    said = _("%(email)s is invited. You may also hand over this link yourself; it is shown this once: %(link)s")
    messages.success(request, said % {"email": made.email, "link": link})


def _actor(request: HttpRequest) -> str:
    return services.actor_of(request.user.id)  # type: ignore[arg-type]
