"""The supervisor: everything up, everything down, and nothing lost when it is shot."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from ispbilling.supervisor.keys import SecretsMissing, secrets_of
from ispbilling.supervisor.paths import Folders
from ispbilling.supervisor.postgres import Postgres
from ispbilling.supervisor.processes import Family
from ispbilling.supervisor.redis import Redis
from tests.installation import ROOT, Installation, clean_environment, free_port, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("installation")]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="isp-s"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(pid)
        except OSError:
            continue
    return found


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ispbilling.supervisor", *arguments],
        cwd=ROOT,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_ctrl_c_stops_everything_and_a_second_start_finds_the_data(folder: Path) -> None:
    with Installation(data=folder) as first:
        pids = first.children()
        assert len(pids) == 9
        assert first.stop() == 0
    assert alive(pids) == []
    with Installation(data=folder) as second:
        assert '"role": "owner"' in second.text()
        assert requests.get(f"{second.url}/readyz", timeout=10).status_code == 200


def test_a_shot_supervisor_takes_its_children_along_and_the_next_start_works(folder: Path) -> None:
    place = Installation(data=folder)
    place.__enter__()
    pids = place.children()
    place.process.send_signal(signal.SIGKILL)
    place.process.wait()
    until(lambda: alive(pids) == [], 30)
    with Installation(data=folder) as again:
        assert requests.get(f"{again.url}/client/sign-in/", timeout=10).status_code == 200


def test_a_part_that_dies_is_started_again(folder: Path) -> None:
    with Installation("--empty", data=folder) as place:
        for word in ("-Q events,default", "ispbilling.asgi", "redis", "postgres"):
            before = place.child(word)
            os.kill(before, signal.SIGKILL)
            until(lambda word=word, before=before: other(place, word, before), 30)
        until(lambda: is_ready(place), 60)
        assert place.process.poll() is None
        assert place.text().count("is started again") >= 4


def other(place: Installation, word: str, before: int) -> bool:
    """Whether the part named by a word of its command is there and is another process than before."""
    try:
        return place.child(word) != before
    except (AssertionError, OSError):
        return False


def is_ready(place: Installation) -> bool:
    try:
        return requests.get(f"{place.url}/readyz", timeout=10).status_code == 200
    except requests.RequestException:
        return False


def test_one_that_dies_again_and_again_stops_the_rest_and_is_named(folder: Path) -> None:
    place = Installation("--empty", data=folder)
    place.__enter__()
    pids = place.children()
    while place.process.poll() is None:
        with contextlib.suppress(AssertionError, OSError):
            os.kill(place.child("celery.* beat"), signal.SIGKILL)
        time.sleep(0.2)
    assert place.process.wait(60) == 1
    assert "beat ended with status -9:" in place.text()
    assert alive(pids) == []


def test_a_second_demo_says_where_the_first_one_is(folder: Path) -> None:
    with Installation("--empty", data=folder) as place:
        told = run("demo", "--data", str(folder), "--port", str(free_port()))
        assert (told.returncode, place.url in told.stdout) == (0, True)
        assert run("demo", "--data", str(folder), "--reset").returncode == 1


def test_a_busy_port_is_named_before_anything_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        told = run("demo", "--data", str(folder), "--port", str(busy.getsockname()[1]))
    assert told.returncode == 2
    assert "--port" in told.stderr
    assert not (folder / "pg").exists()


def test_reset_throws_the_data_away(folder: Path) -> None:
    with Installation("--empty", data=folder):
        pass
    assert run("demo", "--data", str(folder), "--reset").returncode == 0
    assert not (folder / "pg").exists()


def test_a_stale_pid_file_is_seen_through(folder: Path) -> None:
    folders = Folders.make(folder)
    for leftover in ("", "999999\n", f"{os.getpid()}\n"):
        family = Family(folders.logs)
        postgres = Postgres(folders, is_durable=False)
        try:
            if (postgres.cluster / "PG_VERSION").exists():
                (postgres.cluster / "postmaster.pid").write_text(leftover)
            postgres.start(family)
            postgres.prepare()
            with psycopg.connect(postgres.url("app")) as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("app",)
        finally:
            family.stop()


def test_a_file_of_redis_that_a_power_cut_left_unreadable_is_put_aside(folder: Path) -> None:
    folders = Folders.make(folder)
    for damage in (b"", b"\x00garbage of half a page" * 50, b"*3\r\n$3\r\nSET\r\n$1\r\n"):
        family = Family(folders.logs)
        try:
            for file in (folders.data / "redis").rglob("*.aof*"):
                if damage and file.suffix != ".manifest":
                    file.write_bytes(damage)
            Redis(folders).start(family, clean_environment())
            assert [child.name for child in family.children] == ["redis"]
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(Redis(folders).socket))
                client.sendall(b"SET a 1\r\nGET a\r\n")
                assert b"+OK" in client.recv(64)
        finally:
            family.stop()
    assert (folder / "redis.unreadable").exists()


def test_a_folder_only_its_owner_may_enter_is_no_obstacle(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    closed.chmod(0o700)
    (closed / "deep").mkdir()
    with Installation("--empty", data=closed / "deep") as place:
        assert requests.get(f"{place.url}/readyz", timeout=10).status_code == 200
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert run("demo", "--data", str(closed / "deep"), "--reset").returncode == 0


def test_a_command_gets_its_servers_and_its_own_exit_status() -> None:
    script = 'test -n "$DATABASE_URL" && test -n "$REDIS_URL" && echo "$ADMIN_DATABASE_URL" && exit 7'
    told = run("run-with-servers", "--", "bash", "-c", script)
    assert told.returncode == 7
    place = told.stdout.strip().partition("host=")[2]
    assert place
    assert not Path(place).exists()


def test_secrets_are_made_once_and_are_private(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "FIELD_KEYS", "PRODUCTION"):
        monkeypatch.delenv(name, raising=False)
    first = secrets_of(folder)
    assert secrets_of(folder) == first
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600


def test_production_makes_up_no_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "FIELD_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRODUCTION", "1")
    with pytest.raises(SecretsMissing):
        secrets_of(folder)
