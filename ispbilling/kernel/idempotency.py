"""One intention, one act: the caller names its intention with a key, and a repeat gets the first answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import Conflict
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import IdempotencyKey


def digest_of(intention: Any) -> str:
    """A fingerprint of what was asked, so that a key re-used for something else is noticed."""
    return hashlib.sha256(json.dumps(intention, sort_keys=True, default=str).encode()).hexdigest()


@transaction.atomic
def once(*, scope: str, key: str, intention: Any, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run ``act`` once per (tenant, scope, key) and give every repeat the first answer.

    Runs in the open transaction together with what ``act`` writes: both are there or neither is. A repeat that
    arrives meanwhile waits for the first. Raises Conflict ``idempotency.mismatch`` when the key was used for
    something else.
    """
    digest = digest_of(intention)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_idempotencykey (id, tenant_id, scope, key, digest, answer, created_at)"
            " VALUES (%s, %s, %s, %s, %s, 'null'::jsonb, %s) ON CONFLICT DO NOTHING",
            [uuid7(), tenancy.tenant_id_required(), scope, key, digest, clock.machine_now()],
        )
        is_first = cursor.rowcount == 1
    row = IdempotencyKey.objects.select_for_update(no_key=True).get(scope=scope, key=key)
    if is_first:
        row.answer = act()
        row.save(update_fields=["answer"])
        return dict(row.answer)
    if row.digest != digest:
        raise Conflict("idempotency.mismatch", "This key was used for another request.")
    return dict(row.answer)
