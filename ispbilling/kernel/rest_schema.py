"""What the OpenAPI document says beyond the views: how one makes oneself known, and how one is refused."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

_REFUSALS = {
    "400": "What was sent is not right: see fields.",
    "401": "Nobody knows who asks: no token, or one that is not good any more.",
    "403": "Who asks may not do this.",
    "404": "There is no such thing for whoever asks.",
    "405": "Not with this method.",
    "406": "No answer of the kind that is accepted.",
    "409": "Not as things stand: see code.",
    "415": "JSON is read, and nothing else.",
    "429": "Too often. Retry-After says when again.",
    "503": "Right as asked, and not possible just now.",
}


class KnownScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer: an access token or an API key. The cookie of a signed-in page does too, with X-CSRFToken."""

    target_class = "ispbilling.kernel.rest_callers.Known"
    name = ["bearer", "cookie"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An access token, or an API key (ispk_…)."},
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        ]


def without_second_names(endpoints: list[Any]) -> list[Any]:
    """``/clients`` is ``/customers`` by another name: described once."""
    return [one for one in endpoints if not one[0].startswith(("/api/clients", "/api/schema"))]


def with_refusals(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Every operation can be refused in the one shape, in each way that is open to it."""
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {})["Error"] = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "fields"],
                "properties": {
                    "code": {"type": "string", "description": "Stable, for programs."},
                    "message": {"type": "string", "description": "For people."},
                    "fields": {
                        "type": "object",
                        "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    },
                },
            }
        },
    }
    parts["responses"] = {
        f"Refused{status}": {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, text in _REFUSALS.items()
    }
    for schema in parts["schemas"].values():
        if "oneOf" in schema:  # two shapes of a list: an empty one may fit both
            schema["anyOf"] = schema.pop("oneOf")
    for path in result["paths"].values():
        for operation in path.values():
            for status in _REFUSALS:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Refused{status}"})
    return result
