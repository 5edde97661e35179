"""What customers' programs, and whoever signs in, send and get."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.permissions import PERMISSIONS
from ispbilling.kernel.rest import Shape, Strict


class SignIn(Strict):
    email = serializers.EmailField(required=False, max_length=254)
    username = serializers.CharField(required=False, max_length=60)
    phone = serializers.CharField(required=False, max_length=30)
    password = serializers.CharField(required=False, max_length=200, trim_whitespace=False)
    code = serializers.RegexField(r"^[0-9]{6}$", required=False)
    second_factor_code = serializers.CharField(
        required=False, max_length=20, help_text="Staff with a second factor: a code of the app, or a recovery code."
    )
    tenant = serializers.CharField(required=False, max_length=40, help_text="Staff of several tenants: its slug.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(PERMISSIONS)), required=False, max_length=100
    )
    device = serializers.CharField(required=False, max_length=120, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in ("email", "username", "phone") if attrs.get(name)]
        if len(names) != 1:
            raise serializers.ValidationError(_("Exactly one of email, username and phone is needed."))
        if bool(attrs.get("password")) == bool(attrs.get("code")):
            raise serializers.ValidationError(_("Either a password or a code is needed."))
        if attrs.get("code") and names != ["phone"]:
            raise serializers.ValidationError({"phone": [_("A code goes with the telephone it was sent to.")]})
        return attrs


class Phone(Strict):
    phone = serializers.CharField(max_length=30)


class Register(Strict):
    phone = serializers.CharField(max_length=30)
    name = serializers.CharField(max_length=120)
    email = serializers.EmailField(required=False, allow_blank=True, default="")
    address = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    code = serializers.RegexField(r"^[0-9]{6}$", required=False)
    device = serializers.CharField(required=False, max_length=120, default="", allow_blank=True)


class Refresh(Strict):
    refresh_token = serializers.CharField(max_length=200)


class Out(Strict):
    refresh_token = serializers.CharField(max_length=200, required=False)


class Success(Shape):
    success = serializers.BooleanField()


class Sent(Shape):
    status = serializers.ChoiceField(choices=["code_sent"])


class NewTokens(Shape):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    refresh_token = serializers.CharField()


class TenantShape(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class UserShape(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField()


class WhoShape(Shape):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()


class Tokens(NewTokens):
    """``second_factor`` true: no token yet, a second step is wanted. Nobody is asked for one so far."""

    second_factor = serializers.BooleanField()
    kind = serializers.ChoiceField(choices=["staff", "customer"])
    tenant = TenantShape()
    user = UserShape(allow_null=True)
    customer = WhoShape(allow_null=True)
