"""Lines: opened with their customer and subscription, and what is wanted of them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.services import tries_allow, tries_count
from accounts.services.tries import Limit
from billing.models import Subscription
from billing.selectors import entitlement_now, subscription_get
from billing.services import subscription_create
from customers.selectors import customer_get
from customers.services import customer_create, search_terms_set
from ispbilling.kernel import audit, clock, live, wake
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.failpoints import failpoint
from network.models import Line, Router

#: How often one line may be made to dial again, and its router asked about it: each time somebody is offline a moment.
REDIALS_MOST, ASKS_MOST = 3, 10
WINDOW = timedelta(minutes=15)

_CONTROL = {chr(code) for code in range(32)} | {chr(127)}


@transaction.atomic
def line_open(
    *,
    name: str,
    phones: Sequence[str],
    package_id: UUID,
    router_id: UUID,
    username: str = "",
    password: str = "",
    email: str = "",
    address: str = "",
    actor: str,
) -> Line:
    """A new customer with a subscription and a PPPoE line, in one go. Not paid yet, so the line is walled or blocked.

    Without ``username`` the customer's code is used; without ``password`` one is made. Raises DomainError, NotFound,
    Conflict ``line.username``.
    """
    _router(router_id)
    customer = customer_create(name=name, phones=phones, email=email, address=address, actor=actor)
    subscription = subscription_create(customer_id=customer.id, package_id=package_id, actor=actor)
    return line_add(
        subscription_id=subscription.id, router_id=router_id, username=username, password=password, actor=actor
    )


@transaction.atomic
def line_add(*, subscription_id: UUID, router_id: UUID, username: str = "", password: str = "", actor: str) -> Line:
    """The line of a subscription that is there. Without ``username`` the customer's code is used.

    Raises DomainError, NotFound, Conflict ``line.username``.
    """
    router = _router(router_id)
    subscription = subscription_get(subscription_id)
    customer = customer_get(subscription.customer_id)
    login = username or customer.code.lower()
    if not login.strip() or _CONTROL & set(login):
        raise DomainError(
            "line.username", "A user name has no control characters.", fields={"username": ["Not valid."]}
        )
    if Line.objects.filter(router=router, username=login).exists():
        raise Conflict("line.username", f"“{login}” is in use on this router.", fields={"username": ["In use."]})
    now, at = entitlement_now(subscription), clock.now()
    speed = subscription.package.speed_profile
    line: Line = Line.objects.create(
        subscription=subscription,
        customer=customer,
        router=router,
        username=login,
        password=password or secrets.token_urlsafe(9),
        level=now.level,
        reason=now.reason,
        download_kbps=speed.download_kbps,
        upload_kbps=speed.upload_kbps,
        wished_at=at,
        created_at=at,
    )
    search_terms_set(customer_id=customer.id, source="network", texts=[login], numbers=[login])
    audit.record(actor=actor, verb="line.open", row=line, new={"username": login, "router": router.name})
    wake.on_commit("routers", [str(router.id)])
    return line


def _router(router_id: UUID) -> Router:
    router: Router | None = Router.objects.filter(id=router_id).first()
    if router is None:
        raise NotFound("router.unknown", "There is no such router.")
    return router


#: What a box asks for as a password without trouble: letters, digits and signs of every keyboard.
_PASSWORD = re.compile(r"[!-~]{8,40}")


@transaction.atomic
def line_password_set(*, line_id: UUID, password: str, actor: str) -> Line:
    """Another password for a line; the router is told. Raises NotFound ``line.unknown``, DomainError ``line.password``.

    A session that stands goes on: the password is asked for at the next dialling.
    """
    if _PASSWORD.fullmatch(password) is None:
        text = _("8 to 40 letters, digits and signs, without spaces.")
        raise DomainError("line.password", text, fields={"password": [text]})
    line: Line | None = (
        Line.objects.select_for_update(of=("self",), no_key=True).select_related("router").filter(id=line_id).first()
    )
    if line is None:
        raise NotFound("line.unknown", "There is no such line.")
    line.password = password
    line.generation += 1
    line.wished_at = clock.now()
    line.last_error = ""
    line.save(update_fields=["password", "generation", "wished_at", "last_error"])
    audit.record(actor=actor, verb="line.password", row=line)
    wake.on_commit("routers", [str(line.router_id)])
    return line


@transaction.atomic
def lines_refresh(*, subscription_id: UUID) -> list[Line]:
    """Ask billing what a subscription allows now and wish its lines so. Nothing new to wish changes nothing."""
    subscription: Subscription = subscription_get(subscription_id)
    now = entitlement_now(subscription)
    speed = subscription.package.speed_profile
    lines = list(Line.objects.select_for_update(no_key=True).filter(subscription_id=subscription_id).order_by("id"))
    changed = []
    for line in lines:
        wish = (now.level.value, speed.download_kbps, speed.upload_kbps)
        line.reason = now.reason
        if (line.level, line.download_kbps, line.upload_kbps) != wish:
            line.level, line.download_kbps, line.upload_kbps = wish
            line.generation += 1
            line.wished_at = clock.now()
            line.last_error = ""
            changed.append(line)
        fields = ["level", "reason", "download_kbps", "upload_kbps", "generation", "wished_at", "last_error"]
        line.save(update_fields=fields)
    if changed:
        wake.on_commit("routers", {str(line.router_id) for line in changed})
    failpoint("network.lines.before_commit")
    return changed


@transaction.atomic
def line_redial(*, line_id: UUID, actor: str, reason: str = "") -> Line:
    """End a line's session, so that it dials again: the line is wished anew, and a wish ends what is older than it.

    What the line may do stays what billing says. Raises NotFound, TooMany.
    """
    limits = [Limit("line.redial", str(line_id), REDIALS_MOST, WINDOW)]
    line = _line(line_id)
    tries_allow(limits=limits)
    tries_count(limits=limits)
    Line.objects.filter(id=line.id).update(generation=F("generation") + 1, wished_at=clock.now())
    audit.record(actor=actor, verb="line.redial", row=line, new={"username": line.username}, reason=reason)
    live.say("sessions", f"customer:{line.customer_id}")
    wake.on_commit("routers", [str(line.router_id)])
    return line


@transaction.atomic
def line_ask(*, line_id: UUID) -> Line:
    """Have the line's router read now, whatever it is resting from. Raises NotFound, TooMany."""
    limits = [Limit("line.ask", str(line_id), ASKS_MOST, WINDOW)]
    line = _line(line_id)
    tries_allow(limits=limits)
    tries_count(limits=limits)
    Router.objects.filter(id=line.router_id).update(retry_at=None, audited_at=None)
    wake.on_commit("routers", [str(line.router_id)])
    return line


def _line(line_id: UUID) -> Line:
    line: Line | None = Line.objects.select_for_update(no_key=True).filter(id=line_id).first()
    if line is None:
        raise NotFound("line.unknown", "There is no such line.")
    return line
