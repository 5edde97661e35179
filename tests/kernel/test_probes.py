"""The two doors a supervisor knocks at, with a server of their own that is emptied and stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.test import Client

from ispbilling.kernel.probes import Readiness, Unanswered, ask_database
from ispbilling.settings.base import database
from ispbilling.supervisor.paths import Folders
from ispbilling.supervisor.postgres import SUPERUSER, Postgres
from ispbilling.supervisor.processes import Child, Family
from tests.servers import admin

#: What a supervisor would do in another process, whose connections are its own.
KNOCK = """
import django, json
django.setup()
from django.test import Client
for path in ("/healthz", "/readyz", "/readyz"):
    answer = Client().get(path, HTTP_HOST="127.0.0.1")
    print(json.dumps([answer.status_code, answer.content.decode().strip()]))
"""


def knock(**environment: str) -> list[tuple[int, str]]:
    """Statuses and bodies of ``/healthz`` and twice ``/readyz`` of a fresh process."""
    answer = subprocess.run(
        [sys.executable, "-c", KNOCK],
        env={**os.environ, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [tuple(json.loads(line)) for line in answer.stdout.splitlines()]


class Server:
    """A private PostgreSQL that can be frozen: nothing of it runs, and its socket still takes connections."""

    def __init__(self, postgres: Postgres, child: Child) -> None:
        self.postgres = postgres
        self.child = child

    @contextmanager
    def frozen(self) -> Iterator[None]:
        pid = self.child.process.pid
        group = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        for one in group:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in reversed(group):
                os.kill(one, signal.SIGCONT)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="isp-") as folder:
        Path(folder).chmod(0o711)  # as root, PostgreSQL's user must get through to its part
        folders = Folders.make(Path(folder))
        family = Family(folders.logs)
        try:
            postgres = Postgres(folders, is_durable=False)
            child = postgres.start(family)
            postgres.prepare()
            yield Server(postgres, child)
        finally:
            family.stop()
            folders.remove_sockets()


def test_ready_when_everything_is_there(db: None) -> None:
    answer = Client().get("/readyz", HTTP_HOST="127.0.0.1")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": True, "migrations": True, "redis": True}


def test_ready_while_redis_is_away_and_says_so(db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz", HTTP_HOST="127.0.0.1")
    assert (answer.status_code, answer.json()["ready"], answer.json()["redis"]) == (200, True, False)


def test_an_empty_database_is_there_and_not_ready(server: Server) -> None:
    health, first, _ = knock(DATABASE_URL=server.postgres.url("app"))
    assert health == (200, "ok")
    assert first[0] == 503
    assert json.loads(first[1])["database"] is True
    assert json.loads(first[1])["migrations"] is False


def test_a_server_that_hangs_is_answered_for_all_the_same(server: Server) -> None:
    with server.frozen():
        health, *ready = knock(DATABASE_URL=server.postgres.url("app"))
    assert health == (200, "ok")
    assert [status for status, _ in ready] == [503, 503]
    assert [json.loads(body)["database"] for _, body in ready] == [False, False]
    assert "migrations" not in json.loads(ready[0][1])


def test_a_server_that_is_gone_is_told_at_once(tmp_path: Any) -> None:
    health, *ready = knock(DATABASE_URL=f"postgresql://app@/x?host={tmp_path}")
    assert health == (200, "ok")
    assert [status for status, _ in ready] == [503, 503]


def test_a_query_that_hangs_is_left(server: Server) -> None:
    with pytest.raises(Unanswered, match="in time"):
        ask_database(database(server.postgres.url("app")), "SELECT pg_sleep(60)", patience_s=0.2)


def test_what_a_query_finds_comes_as_text(server: Server) -> None:
    rows = ask_database(database(server.postgres.url("app")), "SELECT n, 'é' FROM generate_series(1, 2) n")
    assert rows == [("1", "é"), ("2", "é")]
    with pytest.raises(Unanswered, match="nowhere"):
        ask_database(database(server.postgres.url("app")), "SELECT * FROM nowhere")


def test_a_missing_migration_is_missed_and_a_whole_set_is_remembered(db: None, server: Server) -> None:
    """The server's table of migrations is filled from the tests' own, first without one of them."""
    with admin(settings.DATABASES["default"]["NAME"]) as source:
        rows = source.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    with psycopg.connect(server.postgres.url(SUPERUSER), autocommit=True) as target:
        target.execute("CREATE TABLE IF NOT EXISTS django_migrations (app text, name text)")
        target.execute("GRANT SELECT ON django_migrations TO app")
        readiness = Readiness(database(server.postgres.url("app")))
        try:
            for app, name in rows[1:]:
                target.execute("INSERT INTO django_migrations VALUES (%s, %s)", [app, name])
            assert readiness.look() == {"database": True, "migrations": False}
            target.execute("INSERT INTO django_migrations VALUES (%s, %s)", rows[0])
            assert readiness.look() == {"database": True, "migrations": True}
        finally:
            target.execute("DROP TABLE django_migrations")
    assert readiness.look() == {"database": True, "migrations": True}
    with server.frozen():
        assert readiness.look()["database"] is False
