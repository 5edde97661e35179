"""One small installation that lives through a whole session of tests and is shot at all the time.

Its servers and programs are processes of their own, started again by ``keeper`` whenever they die. The simulators live
in the process of the tests, so that every scenario has far ends of its own and may ask them anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import requests
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings
from psycopg import IsolationLevel

from ispbilling.settings.base import database
from simulators.routeros import RouterFarm
from tests.installation import ROOT, clean_environment, free_port

INTERVALS = {"SWEEP_INTERVAL_S": "1", "CYCLE_INTERVAL_S": "1", "POLL_INTERVAL_S": "3", "AUDIT_INTERVAL_S": "5"}
#: Columns of the machine's time that say when something is tried next, and which rows wait for it.
_WAITS = (
    "UPDATE payments_paymentattempt SET started_at = started_at - (next_query_at - clock_timestamp()),"
    " next_query_at = clock_timestamp() WHERE tenant_id = %s AND next_query_at > clock_timestamp()",
    "UPDATE kernel_event SET not_before = clock_timestamp()"
    " WHERE tenant_id = %s AND state = 'pending' AND not_before > clock_timestamp()",
    "UPDATE sms_message SET next_try_at = clock_timestamp()"
    " WHERE tenant_id = %s AND state = 'queued' AND next_try_at > clock_timestamp()",
    "UPDATE payments_provideraccount SET statement_due_at = clock_timestamp()"
    " WHERE tenant_id = %s AND statement_due_at > clock_timestamp()",
    "UPDATE network_router SET retry_at = clock_timestamp() WHERE tenant_id = %s AND retry_at > clock_timestamp()",
)


def until(look: Callable[[], Any], limit_s: float = 60, what: str = "") -> Any:
    """What ``look`` finds, as soon as it finds something."""
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what or look}"
        time.sleep(0.05)
    return found


class House:
    """``start`` and ``stop`` it; look into it inside ``entered``."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="isp-f"))
        self.folder.chmod(0o711)
        self.failpoints = self.folder / "failpoints"
        self.failpoints.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.farm = RouterFarm()
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.farm.start()
        self.power_back()
        until(self.is_ready, 600, "the house")

    def power_back(self) -> None:
        """Start the keeper, who starts the rest."""
        (self.folder / "run" / "pids.json").unlink(missing_ok=True)
        environment = clean_environment(
            DJANGO_SETTINGS_MODULE="ispbilling.settings.test",
            SECRET_KEY=settings.SECRET_KEY,
            FIELD_KEYS=",".join(settings.FIELD_KEYS),
            FAILPOINTS_DIR=str(self.failpoints),
            PUBLIC_URL=self.url,
            ALLOWED_HOSTS="127.0.0.1,localhost,.localhost",
            LOG_LEVEL=os.environ.get("LOG_LEVEL", "WARNING"),
            **INTERVALS,
        )
        with (self.folder / "keeper.log").open("wb") as output:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.keeper", str(self.folder), str(self.port)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def power_cut(self) -> None:
        """Everything dies at the same instant, whatever it is doing."""
        assert self._keeper is not None
        pids = list(self._pids().values())
        everybody = [self._keeper.pid, *pids, *(child for pid in pids for child in _children(pid))]
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)  # so that nobody sees the others die and tidies up
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._keeper.wait()
        until(lambda: not any(map(_is_alive, everybody)), 30, "the end of everything")

    def clock_is_off(self, by: timedelta) -> None:
        """The machine's clock is wrong by so much, for every process."""
        draft = self.failpoints / "machine_clock.new"
        draft.write_text(str(by.total_seconds()))
        draft.rename(self.failpoints / "machine_clock")

    def booted_as(self, name: str) -> None:
        """The machine has been started anew."""
        (self.failpoints / "machine_boot").write_text(name)

    def stop(self) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait(60)
        self.farm.stop()
        kept = os.environ.get("KEEP_HOUSE_LOGS")
        if kept:
            shutil.copytree(self.folder / "logs", kept, dirs_exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_ready(self) -> bool:
        """Whether all of it runs and the web process answers."""
        assert self._keeper is not None
        assert self._keeper.poll() is None, (self.folder / "keeper.log").read_text()
        try:
            return bool(self._pids()) and requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    # --- inside -----------------------------------------------------------------------------------------------

    @contextmanager
    def entered(self, blocker: Any) -> Iterator[None]:
        """The product's code in this process works on the house's database meanwhile, in every thread."""
        servers = json.loads((self.folder / "run" / "servers.json").read_text())
        here = connections.settings["default"]
        before = dict(here)
        connections.close_all()
        here.update(database(servers["DATABASE_URL"]))
        try:
            with blocker.unblock(), override_settings(PUBLIC_URL=self.url):
                yield
        finally:
            connections.close_all()
            here.update(before)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Transactions of this thread see one instant of the database meanwhile."""
        try:
            connection.close_if_unusable_or_obsolete()
            connection.ensure_connection()
            connection.connection.isolation_level = IsolationLevel.REPEATABLE_READ
            yield
        finally:
            if connection.connection is not None and not connection.connection.closed:
                connection.connection.isolation_level = None

    def admin(self) -> psycopg.Connection[Any]:
        """A superuser's connection, for what no service may do: let time pass, forget a tenant."""
        servers = json.loads((self.folder / "run" / "servers.json").read_text())
        base, _, query = servers["ADMIN_DATABASE_URL"].partition("?")
        return psycopg.connect(f"{base.rpartition('/')[0]}/ispbilling?{query}", autocommit=True)

    def time_passes(self, tenant_id: UUID) -> None:
        """As much of the machine's time as it takes until everything that waits for its instant is due."""
        with self.admin() as server:
            for statement in _WAITS:
                server.execute(statement, [tenant_id])

    def hands_of_the_dead(self, name: str) -> None:
        """The machine's time after which what a killed process held is free: its leases, the messages it was sending.

        Only when ``name`` is known to be dead: under a living one it would break the promise of one writer.
        """
        with self.admin() as server:
            if name == "network":
                server.execute("UPDATE network_router SET lease_until = clock_timestamp() WHERE lease IS NOT NULL")
            if name == "outside":
                server.execute("UPDATE sms_message SET next_try_at = clock_timestamp() WHERE state = 'sending'")

    def hands_of_those_who_gave_up(self, tenant_id: UUID) -> None:
        """The same after an outage of the database: who could not write what he did lives, and is at it no more.

        Called when every call of that time is over: the far ends of these tests answer within a second.
        """
        with self.admin() as server:
            server.execute(
                "UPDATE sms_message SET next_try_at = clock_timestamp() WHERE tenant_id = %s AND state = 'sending'"
                " AND changed_at < clock_timestamp() - interval '10 seconds'",
                [tenant_id],
            )
            server.execute(
                "UPDATE network_router SET lease_until = clock_timestamp() WHERE tenant_id = %s"
                " AND lease_until < clock_timestamp() + interval '170 seconds'",
                [tenant_id],
            )

    def forget(self, tenant_id: UUID) -> None:
        """A scenario is over: nobody works for its tenant any more."""
        with self.admin() as server:
            server.execute("UPDATE accounts_tenant SET is_active = false WHERE id = %s", [tenant_id])
            server.execute("UPDATE network_router SET is_enabled = false WHERE tenant_id = %s", [tenant_id])
            server.execute("UPDATE payments_paymentattempt SET next_query_at = NULL WHERE tenant_id = %s", [tenant_id])
            server.execute("UPDATE payments_provideraccount SET statement_due_at = NULL WHERE tenant_id = %s",
                           [tenant_id])  # fmt: skip
            server.execute("UPDATE sms_message SET next_try_at = NULL WHERE tenant_id = %s", [tenant_id])
            server.execute("UPDATE kernel_event SET state = 'parked' WHERE tenant_id = %s AND state = 'pending'",
                           [tenant_id])  # fmt: skip

    # --- what is done to it -----------------------------------------------------------------------------------

    def _pids(self) -> dict[str, int]:
        try:
            found: dict[str, int] = json.loads((self.folder / "run" / "pids.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    @property
    def programs(self) -> list[str]:
        return [name for name in self._pids() if name not in ("postgres", "redis")]

    def pid(self, name: str) -> int:
        return self._pids()[name]

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> int:
        """SIGKILL; it is started again at once, as soon as it can be. The pid that is gone."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_back(self, name: str, after: int) -> bool:
        """Whether another process than ``after`` runs in its place."""
        return self.pid(name) != after and _is_alive(self.pid(name))

    @contextmanager
    def gone(self, name: str) -> Iterator[None]:
        """Killed, and not started again before the end."""
        hold = self.folder / "run" / f"hold-{name}"
        hold.touch()
        pid = self.kill(name)
        try:
            yield
        finally:
            hold.unlink()
            until(lambda: self.is_back(name, pid) and self._answers(name), 60, f"{name} is back")

    def _answers(self, name: str) -> bool:
        if name != "postgres":
            return True
        try:
            with self.admin():
                return True
        except psycopg.OperationalError:
            return False

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Neither dead nor alive: it and its children are stopped, their sockets stay open."""
        pids = [self.pid(name)]
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
            pids += [child for child in _children(pid) if child not in pids]
        try:
            yield
        finally:
            for pid in pids:
                _signal(pid, signal.SIGCONT)

    # --- failpoints -------------------------------------------------------------------------------------------

    def arm(self, name: str, action: str) -> None:
        self.reached_file(name).unlink(missing_ok=True)
        draft = self.failpoints / f"{name}.new"
        draft.write_text(action)
        draft.rename(self.failpoints / name)

    def disarm(self, name: str) -> None:
        (self.failpoints / name).unlink(missing_ok=True)

    def reached_file(self, name: str) -> Path:
        return self.failpoints / f"{name}.reached"

    def is_reached(self, name: str) -> bool:
        return self.reached_file(name).exists()


def _signal(pid: int, number: signal.Signals) -> None:
    """A child that was just ending is not there any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
