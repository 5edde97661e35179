"""How tests come in: with a code, or straight with a session."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from portal.auth import SESSION_KEY
from sms.models import Message


def code_of(message: Message) -> str:
    return re.findall(r"\b\d{6}\b", message.text)[0]


def last_code() -> str:
    return code_of(Message.objects.filter(is_secret=True).latest("queued_at", "id"))


def signed_in(visitor: Client, tenant: Any, customer_id: Any, **more: Any) -> Client:
    session = visitor.session
    session[SESSION_KEY] = [str(tenant.id), str(customer_id)]
    session.update(more)
    session.save()
    return visitor


def confirmed(visitor: Client) -> None:
    """With the code his telephone got."""
    visitor.post("/client/profile/line/confirm/")
    visitor.post("/client/profile/line/confirm/", {"code": last_code()})
