"""The three database roles, as SQL for a superuser to run once in a new database.

``owner``     owns the tables and runs migrations; not a superuser, so FORCE ROW LEVEL SECURITY binds it too.
``app``       reads and writes under the policies; what every process of the product connects as.
``platform``  cannot log in; entered with ``SET LOCAL ROLE`` inside ``tenancy.platform()``; its policies say ``true``.
"""

from __future__ import annotations

INHERIT_OPTION_VERSION = 160000


def role_statements(server_version: int, database: str) -> list[str]:
    """SQL statements, each idempotent, to be run as a superuser connected to ``database``.

    ``server_version`` is libpq's number (150018 = 15.18). From 16 on a grant can be made without inheritance; before
    that the role itself must be NOINHERIT. An inherited ``platform`` would open every table to ``app``.
    """
    quoted = '"' + database.replace('"', '""') + '"'
    statements = [_role_once("owner", "LOGIN"), _role_once("app", "LOGIN"), _role_once("platform", "NOLOGIN")]
    if server_version >= INHERIT_OPTION_VERSION:
        statements += [
            "GRANT platform TO app WITH INHERIT FALSE, SET TRUE",
            "GRANT platform TO owner WITH INHERIT FALSE, SET TRUE",
        ]
    else:
        statements += [
            "ALTER ROLE app NOINHERIT",
            "ALTER ROLE owner NOINHERIT",
            "GRANT platform TO app",
            "GRANT platform TO owner",
        ]
    statements += [
        f"ALTER DATABASE {quoted} OWNER TO owner",
        "ALTER SCHEMA public OWNER TO owner",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO app, platform",
        "ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app, platform",
        "ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO app, platform",
    ]
    return statements


def _role_once(name: str, attributes: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
        f" THEN CREATE ROLE {name} {attributes} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF; END $$"
    )
