"""Signing in by the API: staff and customers, by password or one-time code; new tokens for old; out again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import assurance, services
from accounts import selectors as accounts
from accounts.models import Login, Tenant, User
from accounts.services.logins import Tokens
from accounts.services.second_factor import Check
from accounts.tokens import ACCESS_LIFE
from customers.models import Customer
from ispbilling.kernel import access, phone, tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound, Unauthenticated
from ispbilling.kernel.middleware import client_address
from ispbilling.kernel.rest import Endpoint
from portal.api import shapes
from portal.selectors import settings_current
from portal.services import (
    code_check,
    code_limits,
    code_send,
    customer_prove,
    guess_limits,
    register,
    tries_give_back,
    tries_take,
)

WRONG = "auth.wrong"


class Door(Endpoint):
    """Open to everybody. Works outside a transaction: what is refused is counted all the same."""

    is_atomic = False

    @classmethod
    def as_view(cls, **given: Any) -> Any:
        """No cookie is read or set here, so there is no session a foreign page could ride on."""
        view = super().as_view(**given)
        view.csrf_exempt = True
        return view

    def address(self) -> str:
        return client_address(self.inner)

    def tenant(self) -> Tenant | None:
        found: Tenant | None = self.inner.tenant
        return found

    def answer(self, tenant: Tenant, made: Tokens, *, user: User | None, customer: Customer | None) -> Response:
        return Response(
            {
                "second_factor": False,
                "access_token": made.access,
                "token_type": "Bearer",
                "expires_in": int(ACCESS_LIFE.total_seconds()),
                "refresh_token": made.refresh,
                "kind": made.login.kind,
                "tenant": {"id": str(tenant.id), "name": tenant.name, "slug": tenant.slug},
                "user": {"id": str(user.id), "name": user.name, "email": user.email} if user else None,
                "customer": {"id": str(customer.id), "code": customer.code, "name": customer.name}
                if customer
                else None,
            }
        )

    def let_in(self, customer: Customer, device: str) -> Response:
        tenant_id = customer.tenant_key
        with tenancy.tenant_context(tenant_id):
            made = services.login_open(
                kind=Login.Kind.CUSTOMER, subject_id=customer.id, device=device, actor=f"customer:{customer.id}"
            )
            with transaction.atomic():
                tenant = accounts.tenant_current()
        return self.answer(tenant, made, user=None, customer=customer)


class SignIn(Door):
    access = access.Rule(access.Audience.PUBLIC, reason="this is where programs sign in")

    @extend_schema(request=shapes.SignIn, responses={200: shapes.Tokens}, operation_id="auth_login", tags=["auth"])
    def post(self, request: Request) -> Response:
        """Sign in: staff by `email`, customers by `username` (PPPoE), `phone` or `email`, with `password`; or by
        `phone` with the `code` that `/api/auth/code` sent.

        Wrong ones are answered alike, whatever was wrong. After five for one name and address: 429.
        """
        data = self.read(shapes.SignIn)
        name = data.get("email") or data.get("username") or data.get("phone") or ""
        limits = guess_limits(name=name, address=self.address())
        tries_take(limits=limits)
        found = self._by_code(data) if data.get("code") else self._by_password(data, name)
        if found is None:
            raise Unauthenticated(WRONG, _("That is not right."))
        tries_give_back(limits=limits)
        return found

    def _by_code(self, data: dict[str, Any]) -> Response | None:
        tenant = self.tenant()
        if tenant is None:
            return None
        try:
            owners = code_check(number=phone.normalise(data["phone"], tenant.country), code=data["code"])
        except DomainError:
            return None
        return self.let_in(owners[0], data["device"])

    def _by_password(self, data: dict[str, Any], name: str) -> Response | None:
        password = data["password"]
        if data.get("email"):
            user = services.staff_prove(request=self.inner, email=data["email"].lower(), password=password)
            if user is not None:
                return self._let_staff_in(user, data)
        customer = customer_prove(tenant=self.tenant(), name=name, password=password)
        return self.let_in(customer, data["device"]) if customer is not None else None

    @staticmethod
    def _demand_second_factor(user: User, role: str, code: str) -> None:
        """Raises Unauthenticated ``auth.second_factor`` where a code is missing, or wrong; Conflict where one must
        first have a second factor at all."""
        if not assurance.has_device(user):
            if assurance.is_demanded(role):
                text = _("Please set up your second factor on the dashboard first.")
                raise Conflict("auth.second_factor_set_up", text)
            return
        if not code:
            raise Unauthenticated("auth.second_factor", _("Please send “second_factor_code” too."))
        if services.second_factor_check(user=user, code=code) not in (Check.RIGHT, Check.RECOVERY):
            raise Unauthenticated(WRONG, _("That is not right."))

    def _let_staff_in(self, user: User, data: dict[str, Any]) -> Response | None:
        memberships = accounts.memberships_of(user)
        wanted, host = data.get("tenant"), self.tenant()
        if wanted:
            memberships = [one for one in memberships if one.tenant.slug == wanted]
        elif host is not None and any(one.tenant_id == host.id for one in memberships):
            memberships = [one for one in memberships if one.tenant_id == host.id]
        if not memberships:
            return None
        if len(memberships) > 1:
            slugs = [one.tenant.slug for one in memberships]
            raise Conflict("auth.tenant", _("For which tenant? Please send “tenant”."), fields={"tenant": slugs})
        tenant = memberships[0].tenant
        self._demand_second_factor(user, memberships[0].role, data.get("second_factor_code", ""))
        with tenancy.tenant_context(tenant.id):
            made = services.login_open(
                kind=Login.Kind.STAFF,
                subject_id=user.id,
                scopes=data.get("scopes"),
                device=data["device"],
                actor=services.actor_of(user.id),
            )
        return self.answer(tenant, made, user=user, customer=None)


class Code(Door):
    access = access.Rule(access.Audience.PUBLIC, reason="whoever signs in by telephone has no token yet")

    @extend_schema(request=shapes.Phone, responses={202: shapes.Sent}, operation_id="auth_code", tags=["auth"])
    def post(self, request: Request) -> Response:
        """Send a one-time code to a customer's telephone. Answered alike for a number nobody has."""
        return self.send(self.read(shapes.Phone)["phone"], is_registration=False)

    def send(self, typed: str, *, is_registration: bool) -> Response:
        if self.tenant() is None:
            raise NotFound("tenant.unknown", _("This address belongs to no provider."))
        tries_take(limits=code_limits(address=self.address()))
        code_send(typed_phone=typed, is_registration=is_registration)
        return Response({"status": "code_sent"}, status=202)


class Register(Code):
    access = access.Rule(access.Audience.PUBLIC, reason="whoever becomes a customer has no token yet")

    @extend_schema(
        request=shapes.Register,
        responses={200: shapes.Tokens, 202: shapes.Sent},
        operation_id="auth_register",
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Become a customer, in two steps: without `code` one is sent to the telephone (202); with it one is signed in.

        Whether a telephone has a customer already is told to nobody but whoever holds it.
        """
        data = self.read(shapes.Register)
        if not data.get("code"):
            return self.send(data["phone"], is_registration=self._is_open())
        tenant = self.tenant()
        if tenant is None:
            raise NotFound("tenant.unknown", _("This address belongs to no provider."))
        limits = guess_limits(name=data["phone"], address=self.address())
        tries_take(limits=limits)
        customer = register(
            number=phone.normalise(data["phone"], tenant.country),
            code=data["code"],
            name=data["name"],
            email=data["email"],
            address=data["address"],
        )
        tries_give_back(limits=limits)
        return self.let_in(customer, data["device"])

    def _is_open(self) -> bool:
        """Whether strangers are sent codes; nobody's host is refused later."""
        if self.tenant() is None:
            return False
        with transaction.atomic():
            return settings_current().is_sign_up_open


class Refresh(Door):
    access = access.Rule(access.Audience.PUBLIC, reason="an access token has run out when this is asked")

    @extend_schema(
        request=shapes.Refresh, responses={200: shapes.NewTokens}, operation_id="auth_refresh", tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """New tokens for a refresh token, which is good for one use. Used a second time it ends the whole login."""
        made = services.login_refresh(refresh_token=self.read(shapes.Refresh)["refresh_token"])
        return Response(
            {
                "access_token": made.access,
                "token_type": "Bearer",
                "expires_in": int(ACCESS_LIFE.total_seconds()),
                "refresh_token": made.refresh,
            }
        )


class SignOut(Door):
    access = access.Rule(access.Audience.PUBLIC, reason="ends the login of whoever comes with its token")

    @extend_schema(request=shapes.Out, responses={200: shapes.Success}, operation_id="auth_logout", tags=["auth"])
    def post(self, request: Request) -> Response:
        """End the login of the access token in the header, or of the `refresh_token` in the body."""
        data = self.read(shapes.Out)
        caller = self.inner.caller
        if caller is not None and caller.login_id is not None:
            services.login_close(login_id=caller.login_id, actor=self.actor)
        if data.get("refresh_token"):
            services.login_close_by_refresh(refresh_token=data["refresh_token"])
        return Response({"success": True})
