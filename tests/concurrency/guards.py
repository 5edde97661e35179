"""Taking a guard of the database away for a while, in the test's own copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from psycopg import sql

from tests.servers import admin


@contextmanager
def without_unique(table: str, *names: str) -> Iterator[None]:
    """Without these unique keys of a table, whose rows are gone afterwards: they may not fit under the keys."""
    kept: list[tuple[str, str, bool]] = []
    with admin(settings.DATABASES["default"]["NAME"]) as server:
        for name in names:
            constraint = server.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
            ).fetchone()
            index = server.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name]).fetchone()
            assert constraint or index, f"no unique key {name}"
            if constraint:
                kept.append((name, constraint[0], True))
                server.execute(
                    sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
                )
            else:
                assert index is not None
                kept.append((name, index[0], False))
                server.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    try:
        yield
    finally:
        with admin(settings.DATABASES["default"]["NAME"]) as server:
            server.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))
            for name, definition, is_constraint in kept:
                if is_constraint:
                    server.execute(
                        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                            sql.Identifier(table), sql.Identifier(name), sql.SQL(definition)
                        )
                    )
                else:
                    server.execute(sql.SQL(definition))
