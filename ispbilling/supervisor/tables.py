"""The database's tables, brought up to date before anything is asked of them.

Django needs seconds to find that there is nothing to do. So what was done last is written at its own table of
migrations: the files' digest and the last row, which a hand that migrates or restores moves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from ispbilling.supervisor.paths import CHECKOUT


def tables_update(url: str, migrate: Callable[[], None], *, checkout: Path = CHECKOUT) -> bool:
    """Call ``migrate`` unless the database of ``url`` is as the files say. Returns whether it was called."""
    digest = _digest(checkout)
    if _written(url) == (digest, True):
        return False
    migrate()
    with psycopg.connect(url, autocommit=True) as owner:
        [[last]] = owner.execute("SELECT max(id) FROM django_migrations").fetchall()
        owner.execute(sql.SQL("COMMENT ON TABLE django_migrations IS {}").format(f"{digest}:{last}"))
    return True


def _written(url: str) -> tuple[str, bool]:
    """The digest that was written, and whether nothing was migrated or taken back since."""
    query = "SELECT coalesce(obj_description('django_migrations'::regclass, 'pg_class'), ''), max(id)"
    try:
        with psycopg.connect(url) as owner:
            [[note, last]] = owner.execute(f"{query} FROM django_migrations").fetchall()
    except psycopg.errors.UndefinedTable:
        return "", False
    digest, _, then = note.partition(":")
    return digest, then == str(last)


def _digest(checkout: Path) -> str:
    """Of every migration of ours, and of the list of packages that bring theirs."""
    files = sorted([*checkout.glob("*/migrations/*.py"), *checkout.glob("*/*/migrations/*.py")])
    whole = hashlib.sha256()
    for file in [*files, checkout / "requirements.txt"]:
        whole.update(f"{file.relative_to(checkout)}\0".encode() + file.read_bytes() + b"\0")
    return whole.hexdigest()
