"""A program for ``test_migrations.py``: an installation with one app more, whose walls come from makemigrations alone.

Run apart, because a process knows its apps from its start. Answers one JSON object. The new tables live in a
transaction that is rolled back: once with the migration as it was written, once without its protecting operations.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

APP = "planted"


def main() -> None:
    django.setup()
    call_command("makemigrations", APP, verbosity=0)
    print(json.dumps({"whole": _tried(without=False), "without": _tried(without=True)}))  # noqa: T201


def _tried(*, without: bool) -> dict[str, Any]:
    from ispbilling.kernel.migration import ProtectTable
    from tests.house import walls
    from tests.house.conftest import superuser
    from tests.house.migrations import operations_of, unprotected
    from tests.house.rows import RowMaker
    from tests.house.test_keys import attempts, tenant_references

    loader = MigrationLoader(connections["owner"])
    migrations = [loader.graph.nodes[key] for key in sorted(loader.graph.nodes) if key[0] == APP]
    if without:
        for migration in migrations:
            migration.operations = [one for one in migration.operations if not isinstance(one, ProtectTable)]
    operations = operations_of(APP, loader)
    with superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE owner")
        for line in loader.collect_sql([(migration, False) for migration in migrations]):
            if line not in ("BEGIN;", "COMMIT;"):
                cursor.execute(line.encode())
        missing = walls.missing_walls(cursor)
        frozen = walls.append_only_tables(cursor)
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL ROLE app")
        a, b = RowMaker.open(cursor, "龗").every(), RowMaker.open(cursor, "龘").every()
        own = list(apps.get_app_config(APP).get_models())
        leaks = {
            model._meta.db_table: walls.leaks(
                cursor, model._meta.db_table, a.tenant_id, b.tenant_id, is_append_only=model._meta.db_table in frozen
            )
            for model in own
        }
        a.enter()
        taken = [
            f"{way} {model.__name__}.{field.name}"
            for model, field in tenant_references()
            if model in own
            for way, (text, values) in attempts(a, model, field, b.id_of(field.related_model)).items()
            if walls.refusal(cursor, text, values) is None
        ]
        connection.rollback()
    return {
        "operations": [type(one).__name__ for one in operations],
        "unprotected": unprotected(APP, operations),
        "missing": missing,
        "leaks": leaks,
        "taken": taken,
        "append_only": sorted(frozen & set(leaks)),
    }


if __name__ == "__main__":
    sys.exit(main())
