"""Suspending a thousand online subscribers of one router, and 45 routers of which ten hang.

One router: from the driver's entry to the verified read, as ``network.services.convergence`` does it, against one
connection with four commands per subscriber in the same run (some of the thousand, scaled). Databases are timed apart,
in the product's own contact. The simulators are a process of their own.

45 routers: one worker as ``bin/demo`` runs it; the time until the 35 that answer are seen to be right, with and without
ten others that hang, five before and five after the log-in.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import requests

if TYPE_CHECKING:
    from network.drivers.base import LineWanted, Profile, Target
    from tests.bench.__main__ import Figure

SUBSCRIBERS, SAMPLE, ROUNDS = 1000, 50, 3
LATENCIES_MS = {0: 1 / 3, 2: 1 / 25, 20: 1 / 80}  # → the share of the floor it may take
ROUTERS, HANGING, LINES_EACH, FARM_ROUNDS = 45, 10, 40, 3
ACTOR = "system:bench"


class Far:
    """The simulators' process, steered over its control port."""

    def __init__(self, folder: Path, routers: int) -> None:
        announced = folder / "simulators.json"
        command = [sys.executable, "-m", "simulators", "--routers", str(routers), "--announce", str(announced)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not announced.exists():
            assert self.process.poll() is None, "the simulators did not start"
            time.sleep(0.05)
        self.ends: dict[str, Any] = json.loads(announced.read_text())
        self.web = requests.Session()

    def ask(self, command: str, router: str, **body: Any) -> dict[str, Any]:
        answer = self.web.post(
            f"{self.ends['control']}/routeros.{command}", json={"router": router, **body}, timeout=120
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def online(self, router: str) -> int:
        return len(self.ask("online", router)["names"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def far_end(routers: int) -> Iterator[Far]:
    with tempfile.TemporaryDirectory(prefix="isp-b") as folder:
        far = Far(Path(folder), routers)
        try:
            yield far
        finally:
            far.stop()


def run() -> Iterator[Figure]:
    import django

    subprocess.run([sys.executable, "manage.py", "migrate", "--database", "owner", "-v0"], check=True)
    os.environ["POLL_INTERVAL_S"] = "3600"
    django.setup()
    yield from _one_router()
    yield from _many_routers()


# --- one router --------------------------------------------------------------------------------------------------


def _one_router() -> Iterator[Figure]:
    from tests.bench.__main__ import Figure

    with far_end(1) as far:
        bench = OneRouter(far)
        bench.suspend()  # once unmeasured: code is loaded, profiles are made
        for latency, share in LATENCIES_MS.items():
            far.ask("router_set", "r1", latency_ms=latency)
            value = statistics.median(bench.suspend() for _ in range(ROUNDS))
            floor = bench.connection_per_subscriber()
            yield Figure(f"suspend_{latency}ms", value, 30 * latency / 1000 + 1, 1, "s")
            yield Figure(f"against_one_connection_each_{latency}ms", value, floor, share, "s")
        far.ask("router_set", "r1", latency_ms=2, service_ms_per_item=1)
        bench.restore()
        before = far.ask("status", "r1")["items_served"]
        value = bench.suspend_now()
        items = far.ask("status", "r1")["items_served"] - before
        yield Figure("serial_1ms_per_item", value, 1.5 * items / 1000 + 30 * 0.002, 1, "s")
        far.ask("router_set", "r1", latency_ms=2, service_ms_per_item=0)
        whole, database, floor = bench.whole_contact()
        yield Figure("whole_contact_2ms", whole - database, 30 * 0.002 + 1, 1, "s")
        yield Figure("database_of_it", database, floor, 8, "s")
        logins = far.ask("connections", "r1")["max_open_logins"]["billing"]
        yield Figure("open_logins", logins, 1, 1, "")


class OneRouter:
    """A thousand lines, by the driver alone and by the product's service."""

    def __init__(self, far: Far) -> None:
        from ispbilling.kernel.crypto import Secret
        from network.drivers.base import Target

        self.far = far
        end = far.ends["routers"]["r1"]
        self.target: Target = Target(end["host"], end["port"], end["username"], Secret(end["password"]))
        far.ask("router_set", "r1", redial_s=0.1)
        self._write(is_enabled=True)
        far.ask("cpes_add", "r1", count=SUBSCRIBERS, name="user{n}", password="pw")
        self._until_online(SUBSCRIBERS)

    def wanted(self, *, is_enabled: bool) -> tuple[list[LineWanted], list[Profile]]:
        from ispbilling.kernel.crypto import Secret
        from network.convergence import profile_of
        from network.drivers.base import LineWanted

        profile = profile_of("full", 10_000, 5_000)
        lines = [
            LineWanted(f"isp:bench:{n}", f"user{n}", Secret("pw"), profile.name, is_enabled)
            for n in range(1, SUBSCRIBERS + 1)
        ]
        return lines, [profile]

    def _write(self, *, is_enabled: bool) -> None:
        """From the driver's entry to the verified read."""
        from network.convergence import difference, right_now
        from network.drivers.mikrotik import MikroTik

        lines, profiles = self.wanted(is_enabled=is_enabled)
        with MikroTik.connect(self.target) as link:
            link.describe()
            found = difference(profiles=profiles, lines=lines, unconfirmed=(), state=link.read())
            assert link.apply(found.plan).refused == {}
            state = link.read()
        assert all(right_now(line, state) for line in lines), "not verified"

    def _until_online(self, count: int) -> None:
        while self.far.online("r1") != count:
            time.sleep(0.05)

    def restore(self) -> None:
        self._write(is_enabled=True)
        self._until_online(SUBSCRIBERS)

    def suspend(self) -> float:
        self.restore()
        return self.suspend_now()

    def suspend_now(self) -> float:
        began = time.perf_counter()
        self._write(is_enabled=False)
        took = time.perf_counter() - began
        assert self.far.online("r1") == 0, "somebody is still online"
        return took

    def connection_per_subscriber(self) -> float:
        """Seconds a thousand would take that way: each his own connection and log-in, and four commands."""
        import librouteros

        self.restore()
        end = self.far.ends["routers"]["r1"]
        began = time.perf_counter()
        for number in range(1, SAMPLE + 1):
            api = librouteros.connect(end["host"], end["username"], end["password"], port=end["port"])
            for menu, verb, *values in (("/ppp/secret", "set", "=disabled=yes"), ("/ppp/active", "remove")):
                [row] = api.rawCmd(f"{menu}/print", f"?name=user{number}", "=.proplist=.id")
                list(api.rawCmd(f"{menu}/{verb}", f"=.id={row['.id']}", *values))
            api.close()
        took = time.perf_counter() - began
        assert self.far.online("r1") == SUBSCRIBERS - SAMPLE
        return took * SUBSCRIBERS / SAMPLE

    def whole_contact(self) -> tuple[float, float, float]:
        """(seconds of the product's contact, of them in the database, of the same rows in three statements)."""
        from django.db import connection

        from ispbilling.kernel import tenancy
        from network.services import router_converge

        self.far.ask("command", "r1", words=["/ppp/secret/remove", f"=.id={self._ids()}"])
        tenant, [router] = _fill([self.far.ends["routers"]["r1"]], SUBSCRIBERS)
        with tenancy.tenant_context(tenant):
            assert router_converge(router_id=router) == "done"
            self._until_online(SUBSCRIBERS)
            assert router_converge(router_id=router) == "done"
            times: list[float] = []
            for spent in (times,):
                _wish(router, "blocked")
                spent.clear()
                with connection.execute_wrapper(_timed(spent)):
                    began = time.perf_counter()
                    assert router_converge(router_id=router) == "done"
                    whole = time.perf_counter() - began
            assert self.far.online("r1") == 0
            return whole, sum(times), _same_rows(router)

    def _ids(self) -> str:
        return ",".join(row[".id"] for row in self.far.ask("table", "r1", path="/ppp/secret")["rows"])


def _timed(spent: list[float]) -> Any:
    def wrapper(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent.append(time.perf_counter() - began)

    return wrapper


def _same_rows(router: UUID) -> float:
    """Seconds for reading and writing the rows of such a contact in one statement a kind."""
    from django.db import connection, transaction

    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM network_line WHERE router_id = %s", [router])
        cursor.fetchall()
        cursor.execute("UPDATE network_line SET last_error = '', applied_at = now() WHERE router_id = %s", [router])
        cursor.execute("UPDATE network_session SET stopped_at = now() WHERE router_id = %s", [router])
        cursor.execute(
            "INSERT INTO kernel_event (id, tenant_id, name, key, shard, payload, state, attempts, last_error,"
            " created_at, not_before) SELECT gen_random_uuid(), tenant_id, 'network.access_changed', customer_id, 0,"
            " '{}', 'done', 0, '', now(), now() FROM network_line WHERE router_id = %s",
            [router],
        )
    return time.perf_counter() - began


# --- rows of a tenant --------------------------------------------------------------------------------------------


def _fill(ends: list[dict[str, Any]], lines: int) -> tuple[UUID, list[UUID]]:
    """A tenant with these routers and so many paid lines on each."""
    from django.db import transaction

    from billing.models import Subscription
    from customers.models import Customer
    from ispbilling.kernel import clock, tenancy
    from network.models import Line
    from tests import factories

    slug = f"bench-{time.time_ns()}"
    tenant = factories.tenant_make(slug=slug, domains=[f"{slug}.localhost"], suspension_mode="blocked")
    routers = []
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        package = factories.package_make()
        now = clock.now()
        for number, end in enumerate(ends):
            router = factories.router_make(
                name=f"r{number}", port=end["port"], username=end["username"], password=end["password"]
            )
            routers.append(router.id)
            customers = Customer.objects.bulk_create(
                Customer(code=f"B{number}-{n}", name="Bench", created_at=now) for n in range(1, lines + 1)
            )
            subscriptions = Subscription.objects.bulk_create(
                Subscription(customer=customer, package=package, state="active", created_at=now)
                for customer in customers
            )
            Line.objects.bulk_create(
                Line(
                    subscription=subscription, customer=subscription.customer, router=router, username=f"user{n}",
                    password="pw", level="full", reason="paid", download_kbps=10_000, upload_kbps=5_000,
                    created_at=now,
                )
                for n, subscription in enumerate(subscriptions, 1)
            )  # fmt: skip
    return tenant.id, routers


def _wish(router: UUID, level: str) -> None:
    from django.db import transaction
    from django.db.models import F

    from network.models import Line

    with transaction.atomic():
        Line.objects.filter(router_id=router).update(level=level, generation=F("generation") + 1)


# --- many routers ------------------------------------------------------------------------------------------------


def _many_routers() -> Iterator[Figure]:
    from tests.bench.__main__ import Figure

    with far_end(ROUTERS) as far, _worker() as log:
        try:
            bench = ManyRouters(far)
            bench.turn("blocked", all_answer=True)
            alone, among = [], []
            for number in range(FARM_ROUNDS):
                alone.append(bench.turn("full" if number % 2 else "walled", all_answer=True))
                among.append(bench.turn("blocked", all_answer=False))
        except AssertionError:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise
        yield Figure("35_beside_10_that_hang", statistics.median(among), statistics.median(alone), 1.2, "s")
        most = max(far.ask("connections", name)["max_open_logins"].get("billing", 0) for name in far.ends["routers"])
        yield Figure("open_logins_of_45", most, 1, 1, "")


@contextmanager
def _worker() -> Iterator[Path]:
    """A worker for routers alone, as the demo starts it."""
    from ispbilling.supervisor.programs import programs

    with tempfile.TemporaryDirectory(prefix="isp-b") as folder:
        log = Path(folder) / "worker.log"
        with log.open("wb") as output:
            process = subprocess.Popen(programs(0, 0)["network"], stdout=output, stderr=subprocess.STDOUT)
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class ManyRouters:
    """45 routers of one tenant. Those that hang do so for whoever comes: five when asked in, five right after."""

    def __init__(self, far: Far) -> None:
        self.far = far
        names = sorted(far.ends["routers"], key=lambda name: int(name[1:]))
        self.tenant, self.ids = _fill([far.ends["routers"][name] for name in names], LINES_EACH)
        self.hanging = dict(zip(names[:HANGING], self.ids[:HANGING], strict=True))
        self.healthy = self.ids[HANGING:]

    def turn(self, level: str, *, all_answer: bool) -> float:
        """Seconds from the wish until the routers that answer are seen to be right."""
        from django.db import transaction

        from ispbilling.kernel import tenancy
        from network.models import Line, Router
        from network.tasks import router_converge_task

        self._hang(not all_answer)
        with tenancy.tenant_context(self.tenant):
            for router in self.ids:
                _wish(router, level)
            with transaction.atomic():
                Router.objects.filter(id__in=self.ids).update(retry_at=None, failed_at=None)
            # Those that hang come first: whoever is blocked by them shows.
            asked = self.healthy if all_answer else self.ids
            began = time.perf_counter()
            for router in asked:
                router_converge_task.apply_async(args=(str(router),), queue="network")
            while self._waiting(Line):
                assert time.perf_counter() - began < 120, "not all became right"
                time.sleep(0.01)
            took = time.perf_counter() - began
        self._hang(False)
        self._settle()
        return took

    def _waiting(self, line: Any) -> bool:
        from django.db import transaction
        from django.db.models import F

        with transaction.atomic():
            rows = line.objects.filter(router_id__in=self.healthy).exclude(applied_generation=F("generation"))
            return bool(rows.exists())

    def _hang(self, do: bool) -> None:
        for number, name in enumerate(self.hanging):
            self.far.ask("faults_clear", name)
            if do:
                at = "/login" if number % 2 else "/system/resource/print"
                self.far.ask("fault_add", name, kind="hang", at=at, times=None)

    def _settle(self) -> None:
        """Wait until no router is spoken to any more."""
        from django.db import transaction

        from ispbilling.kernel import tenancy
        from network.models import Router

        with tenancy.tenant_context(self.tenant):
            while True:
                with transaction.atomic():
                    if not Router.objects.exclude(lease=None).exists():
                        return
                time.sleep(0.05)
