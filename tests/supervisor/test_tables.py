"""Migrations are asked of Django once, and again as soon as anything may have changed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ispbilling.supervisor.paths import Folders
from ispbilling.supervisor.postgres import Postgres
from ispbilling.supervisor.processes import Family
from ispbilling.supervisor.tables import tables_update

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("installation")]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="isp-s"))
    folder.chmod(0o711)
    folders = Folders.make(folder)
    family = Family(folders.logs)
    try:
        made = Postgres(folders, is_durable=False)
        made.start(family)
        yield made
    finally:
        family.stop()
        shutil.rmtree(folder, ignore_errors=True)


class House:
    """A checkout with one migration, and a database of its own."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self.checkout = folder
        (folder / "shop" / "migrations").mkdir(parents=True)
        (folder / "requirements.txt").write_text("django\n")
        self.write("0001_initial")
        name = f"t{folder.name}".replace("-", "_")
        server.prepare(name)
        self.url = server.url("owner", name)

    def write(self, name: str) -> None:
        (self.checkout / "shop" / "migrations" / f"{name}.py").write_text("")

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.url) as owner:
            owner.execute(statement)

    def migrate(self) -> None:
        self.sql("CREATE TABLE IF NOT EXISTS django_migrations (id serial)")
        self.sql("INSERT INTO django_migrations DEFAULT VALUES")

    def update(self) -> bool:
        return tables_update(self.url, self.migrate, checkout=self.checkout)


@pytest.fixture
def house(server: Postgres, tmp_path: Path) -> House:
    return House(server, tmp_path)


def test_an_empty_database_is_migrated_once(house: House) -> None:
    assert [house.update(), house.update(), house.update()] == [True, False, False]


def test_a_new_migration_is_made(house: House) -> None:
    house.update()
    house.write("0002_more")
    assert [house.update(), house.update()] == [True, False]


def test_other_packages_may_bring_migrations(house: House) -> None:
    house.update()
    (house.checkout / "requirements.txt").write_text("django\nallauth\n")
    assert house.update() is True


def test_what_a_hand_took_back_is_made_again(house: House) -> None:
    house.update()
    house.sql("DELETE FROM django_migrations")
    assert house.update() is True


def test_migrations_that_failed_are_tried_again(house: House) -> None:
    def fail() -> None:
        house.migrate()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        tables_update(house.url, fail, checkout=house.checkout)
    assert house.update() is True
