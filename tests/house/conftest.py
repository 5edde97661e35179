"""Two tenants with a row in every table, committed, and connections of the product's own roles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.servers import admin


@dataclass(frozen=True, slots=True)
class Two:
    """Tenant ``a``, who looks, and tenant ``b``, who must not be seen."""

    a: Any
    b: Any


def connect(role: str) -> psycopg.Connection[Any]:
    """A connection as ``app`` or ``owner``, not through Django."""
    return psycopg.connect(os.environ["DATABASE_URL" if role == "app" else "OWNER_DATABASE_URL"])


def superuser() -> psycopg.Connection[Any]:
    """For taking walls down inside a transaction that is rolled back, never for what is tested."""
    from django.conf import settings

    connection = admin(settings.DATABASES["default"]["NAME"])
    connection.autocommit = False
    return connection


@pytest.fixture(scope="module")
def two(django_db_setup: None) -> Iterator[Two]:
    from tests.house.rows import RowMaker

    try:
        with connect("app") as connection, connection.cursor() as cursor:
            made = Two(RowMaker.open(cursor, "龗").every(), RowMaker.open(cursor, "龘").every())
        yield made
    finally:
        with superuser() as connection:
            kept = {"django_migrations", "django_content_type", "auth_permission"}
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows if row[0] not in kept)
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))


@pytest.fixture(scope="module")
def committed_houses(two: Two, django_db_blocker: Any) -> Iterator[Two]:
    """The two tenants with people in every role, all of them signed in, committed."""
    from django.db import connection as django_connection
    from django.test import override_settings

    from tests.house.world import House

    found = Two(House(two.a), House(two.b))
    with override_settings(ALLOWED_HOSTS=[".localhost"]):
        with connect("app") as connection, connection.cursor() as cursor, django_db_blocker.unblock():
            for house in (found.a, found.b):
                house.maker = house.maker.on(cursor)
                house.open()
            django_connection.close()
        yield found


@pytest.fixture
def houses(committed_houses: Two, db: None) -> Two:
    """The two tenants, for one test in a transaction that is rolled back."""
    return committed_houses


@pytest.fixture
def houses_outside(committed_houses: Two, django_db_blocker: Any) -> Iterator[Two]:
    """The two tenants, for a test that commits: what it writes stays for the other tests of its module."""
    from django.db import connection

    with django_db_blocker.unblock():
        yield committed_houses
        connection.close()


@pytest.fixture
def app(django_db_setup: None) -> Iterator[psycopg.Cursor[Any]]:
    """A cursor as ``app`` whose transaction is rolled back."""
    with connect("app") as connection, connection.cursor() as cursor:
        yield cursor
        connection.rollback()


@pytest.fixture
def above(django_db_setup: None) -> Iterator[psycopg.Cursor[Any]]:
    """A superuser's cursor whose transaction is rolled back."""
    with superuser() as connection, connection.cursor() as cursor:
        yield cursor
        connection.rollback()


@pytest.fixture
def place(tenant: Any, settings: Any, tmp_path: Path) -> Any:
    """A tenant whose every way in can be walked."""
    from tests.house.ways import Place

    settings.ALLOWED_HOSTS = [".localhost"]
    settings.ACCOUNT_RATE_LIMITS = False  # counted in Redis, past the end of a test; ours are in PostgreSQL
    return Place(tenant, settings, tmp_path)
