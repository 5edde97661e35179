"""``manage.py secrets_rotate``: writes every encrypted value anew under the first key of ``FIELD_KEYS``."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection, transaction

from ispbilling.kernel import crypto, tenancy
from ispbilling.kernel.operator import OperatorCommand

BATCH = 500


class Command(OperatorCommand):
    help = "Encrypt all secrets anew with the first key. Prints how many values of each column were rewritten."

    def run(self, **_options: Any) -> dict[str, Any]:
        rewritten: dict[str, int] = {}
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if isinstance(field, crypto.EncryptedTextField | crypto.EncryptedJSONField):
                    table, column = model._meta.db_table, str(field.column)
                    rewritten[f"{table}.{column}"] = _rotate(table, column)
        return {"rewritten": rewritten}


def _rotate(table: str, column: str) -> int:
    """Values under an older key, a batch per transaction; each row is locked while it is rewritten."""
    total, last = 0, None
    while True:
        with tenancy.platform("kernel: rotate secrets"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'SELECT id, "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'
                " AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s FOR UPDATE",
                [last, last, BATCH],
            )
            rows = cursor.fetchall()
            stale = [
                (row_id, crypto.encrypt(crypto.decrypt(value)))
                for row_id, value in rows
                if not crypto.is_current(value)
            ]
            if stale:
                cursor.executemany(
                    f'UPDATE "{table}" SET "{column}" = %s WHERE id = %s', [(value, row_id) for row_id, value in stale]
                )
        total += len(stale)
        if len(rows) < BATCH:
            return total
        last = rows[-1][0]
