"""API keys: given, listed, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.models import ApiKey
from accounts.permissions import PERMISSIONS
from ispbilling.kernel.access import Audience, Rule
from ispbilling.kernel.errors import Forbidden
from ispbilling.kernel.rest import Endpoint, Shape, Strict


class NewKey(Strict):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=sorted(PERMISSIONS)), max_length=100)
    expiresAt = serializers.DateTimeField(required=False, allow_null=True, default=None)


class KeyShape(Shape):
    """``prefix`` is the visible beginning; the whole is shown once, when the key is made."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    madeBy = serializers.CharField()
    expiresAt = serializers.DateTimeField(allow_null=True)
    lastUsedAt = serializers.DateTimeField(allow_null=True)
    createdAt = serializers.DateTimeField()


class NewKeyShape(KeyShape):
    key = serializers.CharField(help_text="The key itself. It is not shown again.")


class KeyList(Shape):
    keys = KeyShape(many=True)


def shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "madeBy": key.user.email,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.used_at,
        "createdAt": key.created_at,
    }


class Keys(Endpoint):
    access = Rule(Audience.STAFF, permission="keys:manage")

    @extend_schema(responses=KeyList, operation_id="keys_list", tags=["keys"])
    def get(self, request: Request) -> Response:
        """The keys that are good, newest first."""
        return Response({"keys": [shown(key) for key in selectors.api_keys()]})

    @extend_schema(request=NewKey, responses={201: NewKeyShape}, operation_id="keys_create", tags=["keys"])
    def post(self, request: Request) -> Response:
        """Give a machine a key. It can do what its `scopes` say, as long as its maker can."""
        data = self.read(NewKey)
        if not set(data["scopes"]) <= self.inner.granted:  # a narrow token makes no wider one
            raise Forbidden("key.scopes", "Nobody gives what he may not do himself.")
        key, text = services.api_key_create(
            membership=self.inner.membership,
            name=data["name"],
            scopes=data["scopes"],
            expires_at=data["expiresAt"],
            actor=self.actor,
        )
        return Response({**shown(key), "key": text}, status=201)


class Key(Endpoint):
    access = Rule(Audience.STAFF, permission="keys:manage")

    @extend_schema(responses={204: None}, operation_id="keys_revoke", tags=["keys"])
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Take a key back, at once."""
        services.api_key_revoke(key_id=key_id, actor=self.actor)
        return Response(status=204)
