"""Entering routers and changing how they are reached. A router is asked before it is entered."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.services import actor_of
from ispbilling.kernel import access, clock, tenancy
from ispbilling.kernel.crypto import Secret, decrypt, encrypt
from ispbilling.kernel.errors import DomainError, Refused, Retryable
from network import selectors, services
from network.drivers.base import Target
from network.forms import RouterForm
from network.models import Router

#: Where a person's session keeps a router that was asked and is not entered yet.
STASH = "router_asked"
#: How long what a router said is good for entering it.
STASH_FOR = timedelta(minutes=10)
_REACHED = ("host", "port", "use_tls", "username")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@transaction.non_atomic_requests
@access.staff("routers:manage")
def router_new(request: HttpRequest) -> HttpResponse:
    """Ask a router who it is; then, having seen its answer, enter it."""
    asked = _stash_read(request)
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action == "enter":
        return _enter(request, asked)
    if action == "drop":
        request.session.pop(STASH, None)
        return redirect("network:router_new")
    form = RouterForm(request.POST if request.method == "POST" else None, initial=_typed(asked))
    if request.method == "POST" and form.is_valid():
        try:
            found = _asked(form.cleaned_data, actor=_actor(request))
        except DomainError as error:
            _refuse(form, error)
        else:
            _stash_write(request, form.cleaned_data, found)
            return redirect("network:router_new")
    is_shown = asked is not None and request.method != "POST"
    context = {"form": form, "asked": asked if is_shown else None}
    return render(request, "network/router_form.html", context, status=422 if form.errors else 200)


def _asked(typed: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """What a router says, or why it says nothing, as it is kept in a session. Raises DomainError for what was typed."""
    target = Target(password=Secret(typed["password"]), **{name: typed[name] for name in _REACHED})
    try:
        probe = services.router_probe(target=target, actor=actor)
    except Retryable:
        return {"error": _("Nothing answers there. Check the address, the port, and that the API service is on.")}
    except Refused as error:
        known = {
            "router.login": _("The router answers and does not take this user name and password."),
            "router.certificate": _("The router answers with another certificate than before."),
        }
        refused = _("The router answers and does not let us in: %(why)s") % {"why": error.detail or error.code}
        return {"error": known.get(error.code, refused)}
    return asdict(probe)


def _enter(request: HttpRequest, asked: dict[str, Any] | None) -> HttpResponse:
    if asked is None or asked["found"].get("error"):
        messages.error(request, _("Check the router first."))
        return redirect("network:router_new")
    try:
        with transaction.atomic():
            row = services.router_add(
                name=asked["name"],
                password=asked["password"],
                tls_fingerprint=asked["found"]["fingerprint"],
                actor=_actor(request),
                **{name: asked[name] for name in _REACHED},
            )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("network:router_new")
    request.session.pop(STASH, None)
    messages.success(request, _("The router is entered. It is read now."))
    return redirect("network:router", router_id=row.id)


def _stash_write(request: HttpRequest, typed: dict[str, Any], found: dict[str, Any]) -> None:
    kept = {"name": typed["name"], "password": typed["password"], "found": found}
    kept |= {name: typed[name] for name in _REACHED}
    request.session[STASH] = {
        "tenant": str(tenancy.tenant_id_required()),
        "at": clock.machine_now().isoformat(),
        "sealed": encrypt(json.dumps(kept)),
    }


def _stash_read(request: HttpRequest) -> dict[str, Any] | None:
    stash = request.session.get(STASH)
    if not stash or stash["tenant"] != str(tenancy.tenant_id_required()):
        return None
    if not timedelta(0) <= clock.machine_now() - datetime.fromisoformat(stash["at"]) < STASH_FOR:
        return None
    found: dict[str, Any] = json.loads(decrypt(stash["sealed"]))
    return found


def _typed(asked: dict[str, Any] | None) -> dict[str, Any]:
    """What was typed, without the password, which is never shown again."""
    return {name: asked[name] for name in ("name", *_REACHED)} if asked else {}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@transaction.non_atomic_requests
@access.staff("routers:manage")
def router_edit(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """Change a router's name, or how it is reached: then it is asked there before that is kept."""
    with transaction.atomic():
        row = selectors.router_get(router_id)
    initial = {name: getattr(row, name) for name in ("name", *_REACHED)}
    form = RouterForm(request.POST if request.method == "POST" else None, initial=initial, kept=row)
    if request.method == "POST" and form.is_valid() and _changed(form, row, _actor(request)):
        messages.success(request, _("The router is kept as you wrote it."))
        return redirect("network:router", router_id=router_id)
    context = {"form": form, "router": row}
    return render(request, "network/router_form.html", context, status=422 if form.errors else 200)


def _changed(form: RouterForm, row: Router, actor: str) -> bool:
    typed = form.cleaned_data
    reached = {name: typed[name] for name in _REACHED}
    fingerprint = ""
    try:
        if typed["password"]:
            found = _asked(typed, actor=actor)
            if found.get("error"):
                form.add_error("host", found["error"])
                return False
            fingerprint = found["fingerprint"]
        with transaction.atomic():
            services.router_edit(
                router_id=row.id,
                name=typed["name"],
                password=typed["password"],
                tls_fingerprint=fingerprint,
                actor=actor,
                **reached,
            )
    except DomainError as error:
        _refuse(form, error)
        return False
    return True


@require_POST
@access.staff("routers:manage")
def router_switch(request: HttpRequest, router_id: UUID) -> HttpResponse:
    """Speak to a router again, leave it alone, or forget one without lines: ``to`` is on, off or gone."""
    to, actor = request.POST.get("to", "off"), _actor(request)
    if to == "gone":
        return _remove(request, router_id, actor)
    services.router_switch(router_id=router_id, is_enabled=to == "on", actor=actor)
    said = _("The router is read now.") if to == "on" else _("The router is left alone. Its lines stay as they are.")
    messages.success(request, said)
    return redirect("network:router", router_id=router_id)


def _remove(request: HttpRequest, router_id: UUID, actor: str) -> HttpResponse:
    try:
        services.router_remove(router_id=router_id, actor=actor)
    except DomainError as error:
        if error.code != "router.lines":
            raise
        messages.error(request, error.message)
        return redirect("network:router", router_id=router_id)
    messages.success(request, _("The router is removed."))
    return redirect("network:routers")


def _refuse(form: RouterForm, error: DomainError) -> None:
    named = [name for name in error.fields or {} if name in form.fields]
    for name in named or [None]:  # type: ignore[list-item]
        form.add_error(name, error.message)


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
