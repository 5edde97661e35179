"""Many rows in one statement."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, models
from psycopg import sql


def rows_update(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Write these fields of rows of one model: one ``UPDATE … FROM unnest``, whatever their number.

    Django's ``bulk_update`` makes a ``CASE`` of all rows for each column and takes milliseconds a row. Not for columns
    of JSON or arrays.
    """
    if not rows:
        return
    meta = rows[0]._meta
    columns = [meta.get_field(name) for name in ("id", *fields)]
    names = [sql.Identifier(str(field.column)) for field in columns]  # type: ignore[union-attr]
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]  # type: ignore[union-attr]
        for field in columns
    ]
    kinds = [str(field.db_type(connection)).partition("(")[0] for field in columns]
    statement = sql.SQL("UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS u({names}) WHERE t.id = u.id").format(
        table=sql.Identifier(meta.db_table),
        sets=sql.SQL(", ").join(sql.SQL("{0} = u.{0}").format(name) for name in names[1:]),
        arrays=sql.SQL(", ").join(sql.SQL("%s::" + kind + "[]") for kind in kinds),
        names=sql.SQL(", ").join(names),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
