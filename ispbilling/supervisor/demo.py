"""``demo``: a whole installation on this machine, from nothing to a page in the browser."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from ispbilling.supervisor.paths import CHECKOUT, Folders, default_data, make_folder
from ispbilling.supervisor.processes import Child, Family, StartFailed, wait_until
from ispbilling.supervisor.programs import PAGES, programs
from ispbilling.supervisor.servers import python_environment, start_servers
from ispbilling.supervisor.tables import tables_update

READY_LIMIT_S = 120
SIMULATORS_LIMIT_S = 30
#: How long the demo's providers have been there: three months, and ten days in a small town.
DAYS, DAYS_SMALL = 90, 10
#: The simulated routers; a first start has them at any free port.
ROUTERS = ("tower", "hill", "ridge", "gulshan")
#: A part that ends more often than this within so many seconds is broken, not unlucky.
DEATHS_MOST, DEATHS_WITHIN_S = 4, 60


@dataclass
class Options:
    port: int = 8000
    data: Path = field(default_factory=default_data)
    is_empty: bool = False
    is_check: bool = False
    is_small: bool = False
    days: int = DAYS
    seed: int = 1

    @property
    def has_history(self) -> bool:
        return not self.is_empty and not self.is_check

    @property
    def fill(self) -> list[str]:
        """The options of ``demo_fill``."""
        small = ["--small"] if self.is_small else []
        return ["--days", str(self.days), "--seed", str(self.seed), "--url", self.url, *small]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Stop(Exception):
    """Somebody asked us to end."""


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    raise Stop


def demo(options: Options) -> int:
    """Run until told to stop. Exit status 0 after a stop, 1 when a part failed, 2 for a port that is taken."""
    lock = _lock(options.data)
    if lock is None:
        print(f"It runs already: {_known_url(options.data)}")
        return 0
    if not _is_free(options.port):
        print(f"Port {options.port} is taken by another program. Choose one with --port.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGINT, _on_signal)
    folders = Folders.make(options.data)
    family = Family(folders.logs)
    try:
        environment = _start(options, folders, family)
        return _live(options, family, environment)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    except Stop:
        print("Stopping …")
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        family.stop()
        folders.remove_sockets()
        lock.close()


def check() -> int:
    """Walk the main job on private ports and a private folder. Exit status 0 or 1; nothing is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="isp-"))
    folder.chmod(0o711)
    try:
        return demo(Options(port=_free_port(), data=folder, is_empty=True, is_check=True))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reset(options: Options) -> int:
    """Throw the demo's data away. Refused while it runs."""
    if not options.data.exists():
        return 0
    lock = _lock(options.data)
    if lock is None:
        print(f"It runs: {_known_url(options.data)}. Stop it first.", file=sys.stderr)
        return 1
    for part in ("pg", "redis", "redis.unreadable", "run", "logs", "sockets", "secrets.json"):
        target = options.data / part
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
    lock.close()
    print("The demo's data are gone.")
    return 0


def _start(options: Options, folders: Folders, family: Family) -> dict[str, str]:
    """Servers, simulators, pages, workers, as much at once as can be.

    With a history the routers' worker waits for it: the simulators are given the rows their routers hold first. The
    other workers wait while a history is made, so that none lives through it again.
    """
    began = time.monotonic()
    simulators, announced = _simulators(folders, family)
    environment = start_servers(folders, family)
    wall_port = options.port + 1 if _is_free(options.port + 1) else _free_port()
    environment |= {
        "PUBLIC_URL": options.url,
        "DEMO_PROGRESS_FILE": str(folders.run / "history.json") if options.has_history else "",
        "WALL_PAGE_ADDRESS": f"127.0.0.1:{wall_port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,.localhost",
        "DJANGO_SETTINGS_MODULE": "ispbilling.settings.dev",
        "SIMULATORS": str(announced),
    }
    if options.is_check:
        environment |= {"SWEEP_INTERVAL_S": "1", "CYCLE_INTERVAL_S": "1", "POLL_INTERVAL_S": "2"}
    else:
        environment |= {"POLL_INTERVAL_S": os.environ.get("POLL_INTERVAL_S", "10")}
    commands = programs(options.port, wall_port)

    def spawn(*names: str) -> None:
        for name in names:
            family.spawn(name, commands[name], env=environment, cwd=CHECKOUT)

    def pages() -> None:
        wait_until(lambda: _is_ready(options.url), child=web, limit_s=READY_LIMIT_S, what="The web process")
        (folders.run / "url").write_text(options.url)
        if not options.is_check:
            places = f"{options.url}/dashboard/ for staff, {options.url}/client/ for customers"
            print(f"Ready after {time.monotonic() - began:.0f} s: {places}")

    web = family.spawn("web", commands["web"], env=environment, cwd=CHECKOUT)
    tables_update(
        environment["OWNER_DATABASE_URL"], lambda: _manage(["migrate", "--database", "owner", "-v0"], environment)
    )
    wait_until(announced.exists, child=simulators, limit_s=SIMULATORS_LIMIT_S, what="The simulators")
    working = [name for name in commands if name not in PAGES]
    if options.has_history and _has_lived(folders):
        with _running(_fill(options, environment), environment) as waking:
            pages()
            spawn(*(name for name in working if name != "network"))
            if waking.wait():
                raise StartFailed("The simulators could not be given what their routers held.")
        spawn("network")
        return environment
    if options.has_history and _follow(_fill(options, environment, "--open"), environment):
        raise StartFailed("The demo's providers could not be opened.")
    pages()
    if options.has_history and _follow(_fill(options, environment), environment):
        raise StartFailed("The demo's history could not be made. Start it again: it goes on where it was.")
    spawn(*working)
    return environment


def _has_lived(folders: Folders) -> bool:
    """Whether the history is made whole; ``dashboard/demo/progress.py`` writes the file."""
    found = _read(folders.run / "history.json")
    return bool(found) and found["done"] > found["days"]


def _fill(options: Options, environment: dict[str, str], *more: str) -> list[str]:
    return ["demo_fill", "--simulators", environment["SIMULATORS"], *options.fill, *more]


def _live(options: Options, family: Family, environment: dict[str, str]) -> int:
    if options.is_check:
        simulators = environment["SIMULATORS"]
        return _follow(["demo_check", "--simulators", simulators, "--url", options.url], environment)
    print("Ctrl-C stops it; the data stay.")
    return _watch(family)


def _watch(family: Family) -> int:
    """Start again whatever ends, as an init system would, until one ends again and again."""
    deaths: dict[str, list[float]] = {}
    while True:
        dead = family.dead()
        if dead is None:
            time.sleep(0.3)
            continue
        lately = [at for at in deaths.get(dead.name, []) if time.monotonic() - at < DEATHS_WITHIN_S]
        deaths[dead.name] = [*lately, time.monotonic()]
        if len(lately) >= DEATHS_MOST:
            return _mourn(dead)
        print(f"{dead.name} ended with status {dead.process.returncode} and is started again.")
        time.sleep(len(lately))
        family.revive(dead)


def _mourn(dead: Child) -> int:
    print(f"{dead.name} ended with status {dead.process.returncode}:\n{dead.tail()}", file=sys.stderr)
    return 1


def _simulators(folders: Folders, family: Family) -> tuple[Child, Path]:
    """Routers, gateway and message provider for the demo; at the ports of last time when those are free.

    Returns the process and the file in which it will announce them.
    """
    announced = folders.run / "simulators.json"
    command: list[str | Path] = [sys.executable, "-m", "simulators", "--announce", announced]
    known = _read(announced)
    routers = dict.fromkeys(ROUTERS, 0) | {name: one["port"] for name, one in known.get("routers", {}).items()}
    for name, port in routers.items():
        command += ["--router", f"{name}:{port if _is_free(port) else 0}"]
    for option, key in (("--daraja-port", "daraja"), ("--sms-port", "africastalking"), ("--control-port", "control")):
        port = int(known[key].rpartition(":")[2]) if key in known else 0
        command += [option, str(port if _is_free(port) else 0)]
    announced.unlink(missing_ok=True)
    return family.spawn("simulators", command, env=python_environment(folders), cwd=CHECKOUT), announced


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _manage(arguments: Sequence[str], environment: dict[str, str]) -> None:
    made = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise StartFailed(f"manage.py {arguments[0]} failed:\n{(made.stdout + made.stderr)[-2000:]}")


def _follow(arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command of ours to its end. Its exit status."""
    with _running(arguments, environment) as process:
        return process.wait()


@contextmanager
def _running(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours that works meanwhile, its output let through; ended when we must leave before it."""
    process = subprocess.Popen([sys.executable, "manage.py", *arguments], env=environment, cwd=CHECKOUT)
    try:
        yield process
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _lock(data: Path) -> IO[str] | None:
    """The data folder's lock, or None while another supervisor holds it."""
    make_folder(data)
    file = (data / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _known_url(data: Path) -> str:
    try:
        return (data / "run" / "url").read_text()
    except OSError:
        return "it is just starting"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
