"""PostgreSQL and Redis, ours or those the environment names, and what children must know of them."""

from __future__ import annotations

import os
from pathlib import Path

from ispbilling.supervisor.keys import secrets_of
from ispbilling.supervisor.paths import Folders
from ispbilling.supervisor.postgres import SUPERUSER, Postgres
from ispbilling.supervisor.processes import Family
from ispbilling.supervisor.redis import Redis


def start_servers(
    folders: Folders, family: Family, *, is_durable: bool = True, max_connections: int = 100
) -> dict[str, str]:
    """Start what the environment does not name already. Returns the environment of every other child."""
    environment = {**python_environment(folders), **secrets_of(folders.data)}
    if not (os.environ.get("DATABASE_URL") and os.environ.get("OWNER_DATABASE_URL")):
        postgres = Postgres(folders, is_durable=is_durable, max_connections=max_connections)
        postgres.start(family)
        postgres.prepare()
        environment["DATABASE_URL"] = postgres.url("app")
        environment["OWNER_DATABASE_URL"] = postgres.url("owner")
        environment["ADMIN_DATABASE_URL"] = postgres.url(SUPERUSER, "postgres")
    if not os.environ.get("REDIS_URL"):
        redis = Redis(folders, is_durable=is_durable)
        redis.start(family, environment)
        environment["REDIS_URL"] = redis.url
        environment["CELERY_BROKER_URL"] = redis.broker_url
    return environment


def python_environment(folders: Folders) -> dict[str, str]:
    """Ours, for a child that needs no server: what it compiles is kept in the data folder."""
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX") or str(folders.data / "cache" / "pyc"),
    }


def log_tail(folders: Folders, name: str, lines: int = 20) -> str:
    """The end of a child's log."""
    file: Path = folders.logs / f"{name}.log"
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else ""
