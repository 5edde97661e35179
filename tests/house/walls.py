"""What a walled table must look like in PostgreSQL's own catalogue, and how its walls must answer to raw SQL.

Each function returns what is wrong, in words; nothing wrong is an empty answer. The tests ask them about the tables as
they are, and about tables whose walls were taken down on purpose, to see that they notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

Cursor = psycopg.Cursor[Any]

#: Tables that belong to no tenant, each with the reason.
TENANTLESS = {
    "account_emailaddress": "staff log in before a tenant is known",
    "account_emailconfirmation": "staff log in before a tenant is known",
    "accounts_recoverycode": "what proves who a person is, before a tenant is known",
    "accounts_signin": "a session begins before a tenant is known",
    "accounts_totpdevice": "what proves who a person is, before a tenant is known",
    "accounts_tries": "wrong tries at a door, before a tenant is known",
    "accounts_user": "a person may work for several tenants",
    "accounts_user_groups": "link table of users",
    "accounts_user_user_permissions": "link table of users",
    "auth_group": "Django's own, unused",
    "auth_group_permissions": "Django's own, unused",
    "auth_permission": "Django's own",
    "axes_accessattempt": "failed log-ins, before a tenant is known",
    "axes_accessattemptexpiration": "failed log-ins, before a tenant is known",
    "axes_accessfailurelog": "failed log-ins, before a tenant is known",
    "axes_accesslog": "log-ins, before a tenant is known",
    "django_content_type": "Django's own",
    "django_migrations": "Django's own",
    "django_session": "sessions begin before a tenant is known",
    "kernel_clock": "one clock for the installation",
    "kernel_clockwatch": "one clock for the installation",
    "kernel_heartbeat": "which workers of the installation live",
    "kernel_jobrun": "schedules of the installation",
}

#: Every schema but PostgreSQL's own: a table elsewhere is found too.
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
#: What stands in a policy, whichever column it compares.
_POLICY = "(COLUMN = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"


def tables(cursor: Cursor) -> list[str]:
    """Every ordinary and partitioned table and every partition; outside ``public`` with its schema's name."""
    cursor.execute(
        "SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END FROM pg_class c"
        f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND {_OURS} ORDER BY 1"
    )
    return [row[0] for row in cursor.fetchall()]


def walled_tables(cursor: Cursor) -> list[str]:
    return [table for table in tables(cursor) if table not in TENANTLESS]


def missing_walls(cursor: Cursor) -> dict[str, list[str]]:
    """Table → what its definition lacks, for every table that is not on the list of those without a tenant."""
    found = {table: _missing(cursor, table) for table in walled_tables(cursor)}
    return {table: faults for table, faults in found.items() if faults}


def _missing(cursor: Cursor, table: str) -> list[str]:
    cursor.execute(
        "SELECT c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) FROM pg_class c"
        " WHERE c.oid = %s::regclass",
        [table],
    )
    is_enabled, is_forced, owner = cursor.fetchone() or (False, False, "")
    faults = [] if is_enabled else ["row-level security is off"]
    faults += [] if is_forced else ["row-level security is not forced"]
    faults += [] if owner == "owner" else [f"it belongs to {owner}"]
    column = wall_column(cursor, table)
    faults += [] if column else ["it has no tenant_id"]
    cursor.execute(
        "SELECT polname, polpermissive, polcmd::text, ARRAY(SELECT pg_get_userbyid(one) FROM unnest(polroles) one),"
        " pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)"
        " FROM pg_policy WHERE polrelid = %s::regclass",
        [table],
    )
    wall = _POLICY.replace("COLUMN", column or "tenant_id")
    wanted = {
        "tenant_wall": (True, "*", ["app"], wall, wall),
        "platform_door": (True, "*", ["platform"], "true", "true"),
    }
    held = {name: tuple(rest) for name, *rest in cursor.fetchall()}
    faults += [f"policy {name} is missing" for name in wanted.keys() - held.keys()]
    faults += [f"policy {name} is a stranger" for name in held.keys() - wanted.keys()]
    faults += [f"policy {name} is {held[name]}" for name in wanted.keys() & held.keys() if held[name] != wanted[name]]
    return sorted(faults)


def wall_column(cursor: Cursor, table: str) -> str:
    """The column that says whose a row is; empty when there is none. The tenants' own table has its id."""
    if table == "accounts_tenant":
        return "id"
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'tenant_id' AND attnotnull",
        [table],
    )
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def append_only_tables(cursor: Cursor) -> set[str]:
    """Tables the database lets nobody change, by their trigger."""
    cursor.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled IN ('O', 'A')"
        " AND tgfoid = 'refuse_change'::regproc"
    )
    return {row[0] for row in cursor.fetchall()}


def too_many_rights(cursor: Cursor) -> list[str]:
    """Rights of ``app``, ``platform`` or everybody that no table may give."""
    cursor.execute(
        f"SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS}"
    )
    every = [row[0] for row in cursor.fetchall()]
    frozen = append_only_tables(cursor)
    found = []
    for table in every:
        for role in ("app", "platform"):
            rights = ["TRUNCATE", "REFERENCES", "TRIGGER", *(["UPDATE", "DELETE"] if table in frozen else [])]
            for right in rights:
                cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [role, table, right])
                if (cursor.fetchone() or [True])[0]:
                    found.append(f"{role}: {right} on {table}")
    cursor.execute(
        "SELECT DISTINCT c.oid::regclass::text, a.privilege_type FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a"
        f" WHERE a.grantee = 0 AND {_OURS}"
    )
    return found + [f"everybody: {right} on {table}" for table, right in cursor.fetchall()]


def ways_around(cursor: Cursor) -> list[str]:
    """Views, foreign tables and functions that would show rows with rights other than the caller's."""
    cursor.execute(
        "SELECT c.oid::regclass::text, c.relkind::text, coalesce(c.reloptions::text, '') FROM pg_class c"
        f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm', 'f') AND {_OURS} ORDER BY 1"
    )
    names = {"v": "view", "m": "materialised view", "f": "foreign table"}
    found = [
        f"{names[kind]} {name}"
        for name, kind, options in cursor.fetchall()
        if kind != "v" or not {"security_invoker=true", "security_invoker=on"} & set(options.strip("{}").split(","))
    ]
    cursor.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        f" WHERE p.prosecdef AND {_OURS} ORDER BY 1"
    )
    return found + [f"security definer function {row[0]}" for row in cursor.fetchall()]


def loose_keys(cursor: Cursor) -> list[str]:
    """Foreign keys between walled tables that do not compare the tenant on both sides.

    Foreign-key checks look past the policies: such a key would accept, and so betray, another tenant's row.
    """
    cursor.execute(
        "SELECT k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text,"
        " ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = ANY(k.conkey)),"
        " ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = ANY(k.confkey))"
        " FROM pg_constraint k WHERE k.contype = 'f' ORDER BY 1"
    )
    return [
        f"{table}.{name}"
        for name, table, target, columns, targets in cursor.fetchall()
        if target not in TENANTLESS
        and not ("tenant_id" in columns and ("tenant_id" in targets or target == "accounts_tenant"))
    ]


# --- How the walls answer --------------------------------------------------------------------------------------


def enter(cursor: Cursor, tenant: UUID | str | None) -> None:
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant or "")])


def refusal(
    cursor: Cursor, statement: Any, values: Sequence[Any] = (), *, is_copy: bool = False
) -> psycopg.Error | None:
    """The error of a statement that leaves no trace; None when it went through."""
    try:
        with cursor.connection.transaction(force_rollback=True):
            if is_copy:
                with cursor.copy(statement):
                    pass
            else:
                cursor.execute(statement, values)
    except psycopg.Error as error:
        return error
    return None


def owners(cursor: Cursor, table: str) -> dict[UUID, int]:
    """Tenant → how many rows it has, as the platform sees them."""
    column = wall_column(cursor, table)
    with cursor.connection.transaction(force_rollback=True):
        cursor.execute("SET LOCAL ROLE platform")
        cursor.execute(_sql("SELECT {column}, count(*) FROM {table} GROUP BY 1", table, column))
        return dict(cursor.fetchall())


def leaks(cursor: Cursor, table: str, a: UUID, b: UUID, *, is_append_only: bool) -> list[str]:
    """What ``app`` can do with ``b``'s rows of a table though it works for ``a``, or for nobody.

    The cursor is ``app``'s. A table with no row of one of them proves nothing, which is a fault too.
    """
    column = wall_column(cursor, table)
    held = owners(cursor, table)
    if not (held.get(a) and held.get(b)):
        return ["nothing is proved: there is no row of each tenant"]
    faults = []
    enter(cursor, None)
    faults += [f"nobody {way}" for way, rows in _seen(cursor, table, column, is_append_only).items() if rows]
    enter(cursor, a)
    for way, rows in _seen(cursor, table, column, is_append_only).items():
        if rows != [str(a)] * held[a]:
            faults.append(f"a {way} rows of {sorted(set(rows))}, {len(rows)} instead of its own {held[a]}")
    faults += _writes(cursor, table, column, a, b, held, is_append_only)
    enter(cursor, None)
    return faults


def _seen(cursor: Cursor, table: str, column: str, is_append_only: bool) -> dict[str, list[str]]:
    """Way of reading → whose rows came."""
    found = {}
    cursor.execute(_sql("SELECT {column}::text FROM {table}", table, column))
    found["reads"] = sorted(row[0] for row in cursor.fetchall())
    if not is_append_only:  # locking a row takes the right to change it
        cursor.execute(_sql("SELECT {column}::text FROM {table} FOR UPDATE", table, column))
        found["locks"] = sorted(row[0] for row in cursor.fetchall())
    with cursor.copy(_sql("COPY {table} ({column}) TO STDOUT", table, column)) as copy:
        found["copies"] = sorted(row[0] for row in copy.rows())
    return found


def _writes(
    cursor: Cursor, table: str, column: str, a: UUID, b: UUID, held: dict[UUID, int], is_append_only: bool
) -> list[str]:
    faults = []
    update = _sql("UPDATE {table} SET {column} = {column}", table, column)
    theirs = _sql(" WHERE {column} = %s", table, column)
    attempts: dict[str, tuple[Any, Sequence[Any], str]] = {
        "insert a row of b": (*_copy_of(cursor, table, column, b), "row-level security"),
        "move a row to b": (_sql("UPDATE {table} SET {column} = %s", table, column), [b], "row-level security"),
        "truncate": (_sql("TRUNCATE {table}", table, column), [], "permission denied"),
        "copy into it": (_sql("COPY {table} FROM STDIN", table, column), [], "row-level security"),
    }
    if is_append_only:
        attempts["move a row to b"] = (*attempts["move a row to b"][:2], "permission denied")
        attempts["change a row"] = (update, [], "permission denied")
        attempts["change a row of b"] = (update + theirs, [b], "permission denied")
        attempts["delete a row"] = (_sql("DELETE FROM {table}", table, column), [], "permission denied")
        attempts["lock a row"] = (_sql("SELECT FROM {table} FOR UPDATE", table, column), [], "permission denied")
    else:
        for way, statement, values, count in (
            ("changes rows of b", update + theirs, [b], 0),
            ("changes more than its own rows", update, [], held[a]),
            ("deletes rows of b", _sql("DELETE FROM {table}", table, column) + theirs, [b], 0),
        ):
            error = refusal(cursor, statement, values)
            if error is not None or cursor.rowcount != count:
                faults.append(f"a {way}: {error or cursor.rowcount} instead of {count}")
    for way, (statement, values, words) in attempts.items():
        error = refusal(cursor, statement, values, is_copy=way == "copy into it")
        if error is None or words not in str(error):
            faults.append(f"a may {way}: {error}")
    return faults


def _copy_of(cursor: Cursor, table: str, column: str, tenant: UUID) -> tuple[Any, list[Any]]:
    """A statement that writes one of the tenant's rows once more, whole: no other rule can refuse it first."""
    with cursor.connection.transaction(force_rollback=True):
        cursor.execute("SET LOCAL ROLE platform")
        cursor.execute(_sql("SELECT row_to_json(t)::text FROM {table} t WHERE {column} = %s", table, column), [tenant])
        row = cursor.fetchone() or (None,)
    columns = _written_columns(cursor, table)
    text = f"INSERT INTO {{table}} ({columns}) SELECT {columns} FROM json_populate_record(NULL::{{table}}, %s)"
    return _sql(text, table, column), [row[0]]


def _written_columns(cursor: Cursor, table: str) -> str:
    """The columns that are written; what the database computes is not."""
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [table],
    )
    return str((cursor.fetchone() or ("",))[0])


def _sql(text: str, table: str, column: str) -> sql.Composed:
    name = sql.Identifier(*table.split("."))
    return sql.SQL(text).format(table=name, column=sql.Identifier(column))
