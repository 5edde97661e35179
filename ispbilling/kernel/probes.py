"""``/healthz`` answers without touching anything; ``/readyz`` says whether the database is there and migrated."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg import conninfo, pq

from ispbilling.kernel import access

#: Whoever asks is answered within this time, whatever the database does. Seconds.
PATIENCE_S = 2.0
REDIS_PATIENCE_S = 0.25

Row = tuple[str, ...]


class Unanswered(Exception):
    """The database refused, hung or is not there."""


def ask_database(database: dict[str, Any], query: str, *, patience_s: float = PATIENCE_S) -> list[Row]:
    """The rows of one query over a connection of its own, as text. Raises Unanswered, never later than ``patience_s``.

    Step by step over libpq: the time-outs of a server help nothing when it is the server that hangs, and a call of the
    driver that waits for it cannot be left. ``database`` is an entry of ``settings.DATABASES``.
    """
    until = time.monotonic() + patience_s
    connection = pq.PGconn.connect_start(_address(database))
    try:
        while (state := connection.connect_poll()) != pq.PollingStatus.OK:
            if state == pq.PollingStatus.FAILED:
                raise Unanswered(connection.get_error_message())
            wish = select.POLLIN if state == pq.PollingStatus.READING else select.POLLOUT
            _wait(connection.socket, wish, until)
        connection.send_query(query.encode())
        result = None
        while True:
            while connection.is_busy():
                _wait(connection.socket, select.POLLIN, until)
                connection.consume_input()
            following = connection.get_result()
            if following is None:
                break
            result = following
        if result is None or result.status != pq.ExecStatus.TUPLES_OK:
            raise Unanswered(result.get_error_message() if result is not None else "no answer")
        columns = range(result.nfields)
        return [tuple((result.get_value(row, one) or b"").decode() for one in columns) for row in range(result.ntuples)]
    except psycopg.Error as error:
        raise Unanswered(str(error)) from error
    finally:
        connection.finish()


def _address(database: dict[str, Any]) -> bytes:
    parts = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {name: str(database[key]) for name, key in parts.items() if database.get(key)}
    return conninfo.make_conninfo(**given).encode()


def _wait(socket: int, wish: int, until: float) -> None:
    left = until - time.monotonic()
    poll = select.poll()
    poll.register(socket, wish)
    if left <= 0 or not poll.poll(left * 1000):
        raise Unanswered("no answer in time")


class Readiness:
    """Whether requests can be served. What needs no second look is remembered: migrations are not unmade."""

    def __init__(self, database: dict[str, Any]) -> None:
        self.database = database
        self._is_migrated = False

    def look(self) -> dict[str, bool]:
        """``database``: it answers; ``migrations``: none is missing, left out where nobody can say."""
        try:
            if self._is_migrated:
                ask_database(self.database, "SELECT 1")
                return {"database": True, "migrations": True}
            applied = set(ask_database(self.database, "SELECT app, name FROM django_migrations"))
        except Unanswered as error:
            # A database without the table answers: it is there, and empty.
            is_empty = "django_migrations" in str(error)
            return {"database": True, "migrations": False} if is_empty else {"database": False}
        self._is_migrated = not set(MigrationLoader(None).graph.nodes) - applied
        return {"database": True, "migrations": self._is_migrated}


def redis_answers() -> bool:
    """Whether Redis answers at once."""
    patience = {"socket_timeout": REDIS_PATIENCE_S, "socket_connect_timeout": REDIS_PATIENCE_S}
    client: redis.Redis = redis.Redis.from_url(settings.REDIS_URL, **patience)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


_readiness: Readiness | None = None


def readiness() -> Readiness:
    """This process's own."""
    global _readiness
    if _readiness is None or _readiness.database is not settings.DATABASES["default"]:
        _readiness = Readiness(settings.DATABASES["default"])
    return _readiness


@transaction.non_atomic_requests
@access.public("a load balancer asks, and learns nothing")
def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@transaction.non_atomic_requests
@access.public("a supervisor asks, and learns no more than which part is missing")
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when requests can be served: PostgreSQL answers and every migration is applied. Redis may be away."""
    found = readiness().look()
    is_ready = all(found.values())
    return JsonResponse({"ready": is_ready, **found, "redis": redis_answers()}, status=200 if is_ready else 503)
