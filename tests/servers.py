"""Where the servers of a test run are, and how one gets in past the product."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parents[1]


def with_database(url: str, database: str) -> str:
    """The same server's other database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def with_redis_number(url: str, number: int, parameter: str) -> str:
    """The same Redis's other database; ``parameter``: what the address's reader calls it."""
    # Not through urlunsplit: it takes the slashes of unix:///… for superfluous.
    return f"{url.partition('?')[0]}?{parameter}={number}"


def admin(database: str) -> psycopg.Connection[Any]:
    """A superuser's connection: for making and emptying databases, never for what is tested."""
    return psycopg.connect(with_database(os.environ["ADMIN_DATABASE_URL"], database), autocommit=True)
