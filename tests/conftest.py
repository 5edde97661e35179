"""What every test stands on: a private database with the product's own roles, the walls up, and the clock in hand.

``bin/test`` starts PostgreSQL and Redis and says where they are. The schema is made once by the migrations, as the
role ``owner``; every worker of the run gets a copy of it. Tests connect as ``app``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.servers import ROOT, admin, with_database, with_redis_number

TEMPLATE = "ispbilling_test_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="tests/faults in full, for hours")
    parser.addoption("--contact-sheet", metavar="FOLDER", help="where tests/e2e puts pictures of every page")


def pytest_configure(config: pytest.Config) -> None:
    if "ADMIN_DATABASE_URL" not in os.environ:
        raise pytest.UsageError("Tests need the servers that bin/test starts: run bin/test, with any pytest arguments.")
    if _only_leads(config):
        return  # the workers of this run do the work, each in a database of its own
    import django

    django.setup()


def pytest_xdist_setupnodes() -> None:
    """Workers begin without the leader's settings: they would read them before their own database has its name."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def _only_leads(config: pytest.Config) -> bool:
    return "PYTEST_XDIST_WORKER" not in os.environ and bool(getattr(config.option, "numprocesses", None))


def pytest_sessionstart(session: pytest.Session) -> None:
    """The schema is made before the first test, whose time it would take."""
    if _only_leads(session.config):
        return
    with admin("postgres") as server:
        server.execute("SELECT pg_advisory_lock(7310)")  # workers make the template one after the other
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            _make_template(server)


def _settle_down() -> None:
    """Names this worker's own database and Redis.

    When this file is imported, as a folder's own conftest named on the command line may read the settings right after.
    """
    if "ADMIN_DATABASE_URL" not in os.environ:
        return  # pytest_configure says so
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        os.environ[name] = with_database(os.environ[name], f"ispbilling_test_{worker}")
    number = int(worker[2:]) + 1 if worker.startswith("gw") else 0
    os.environ["REDIS_URL"] = with_redis_number(os.environ["REDIS_URL"], number, "db")
    os.environ["CELERY_BROKER_URL"] = with_redis_number(os.environ["CELERY_BROKER_URL"], number, "virtual_host")
    os.environ["DJANGO_SETTINGS_MODULE"] = "ispbilling.settings.test"


_settle_down()


@pytest.fixture(scope="session")
def django_db_setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This worker's own copy of the migrated template."""
    from django.conf import settings
    from django.db import connections

    database = settings.DATABASES["default"]["NAME"]
    with admin("postgres") as server:
        server.execute("SELECT pg_advisory_lock(7310)")  # a template is copied by one at a time
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER owner").format(
                sql.Identifier(database), sql.Identifier(TEMPLATE)
            )
        )
    yield
    connections.close_all()
    with admin("postgres") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def _make_template(server: psycopg.Connection[Any]) -> None:
    from ispbilling.kernel.roles import role_statements

    half_made = TEMPLATE + "_new"
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(half_made)))
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(half_made)))
    with admin(half_made) as fresh:
        for statement in role_statements(fresh.info.server_version, half_made):
            fresh.execute(statement)
    environment = {
        **os.environ,
        "DATABASE_URL": with_database(os.environ["DATABASE_URL"], half_made),
        "OWNER_DATABASE_URL": with_database(os.environ["OWNER_DATABASE_URL"], half_made),
    }
    command = [sys.executable, "manage.py", "migrate", "--database", "owner", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half_made), sql.Identifier(TEMPLATE))
    )


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database whose transactions really commit, for tests with threads and processes; emptied afterwards."""
    from django.conf import settings
    from django.db import connection

    with django_db_blocker.unblock():
        yield
        connection.close()
        with admin(settings.DATABASES["default"]["NAME"]) as server:
            kept = {"django_migrations", "django_content_type", "auth_permission"}
            rows = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows if row[0] not in kept)
            server.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))


@pytest.fixture
def tenant(db: None) -> Iterator[Any]:
    """A tenant in Nairobi, in whose context the test runs."""
    from ispbilling.kernel import tenancy
    from tests import factories

    made = factories.tenant_make()
    with tenancy.tenant_context(made.id):
        yield made


@pytest.fixture
def travel(db: None) -> Any:
    """Moves product time: ``travel(days=3)``."""
    from ispbilling.kernel import clock

    def move(**by: float) -> None:
        clock.travel(timedelta(**by))

    return move
