"""A new model gets its walls from ``makemigrations``, and one that has none does not get past these tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import AddField, AlterField
from django.db.migrations.operations.models import CreateModel
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState

from ispbilling.kernel.migration import ProtectTable, TenantAutodetector
from tests.house.migrations import operations_of, unprotected
from tests.house.rows import tenant_models, tenant_references
from tests.servers import ROOT

OWN_APPS = sorted({model._meta.app_label for model in tenant_models()})
PORTAL_UNPROTECTED = [
    f"portal.{name} is made and not protected afterwards"
    for name in ("CustomerSignIn", "Lead", "LoginCode", "PortalSettings")
]


def detected(before: ProjectState, detector: type[MigrationAutodetector] = TenantAutodetector) -> dict[str, list[Any]]:
    """App → the operations makemigrations would write to come from ``before`` to the models as they are."""
    graph = MigrationLoader(None).graph if before.models else MigrationGraph()
    questioner = MigrationQuestioner(specified_apps=set(OWN_APPS))
    changes = detector(before, ProjectState.from_apps(apps), questioner).changes(graph=graph)
    found: dict[str, list[Operation]] = defaultdict(list)
    for app_label, migrations in changes.items():
        for migration in migrations:
            found[app_label] += migration.operations
    return dict(found)


def protected(operations: list[Operation]) -> list[str]:
    return sorted(one.name for one in operations if isinstance(one, ProtectTable))


@pytest.mark.parametrize("app_label", OWN_APPS)
def test_every_table_a_migration_makes_is_protected_after_it(app_label: str) -> None:
    operations = operations_of(app_label)
    assert unprotected(app_label, operations) == []
    made = {one.name for one in operations if isinstance(one, CreateModel)}
    assert {model.__name__ for model in tenant_models() if model._meta.app_label == app_label} <= made


def test_a_migration_that_forgets_a_protection_is_found() -> None:
    for app_label in OWN_APPS:
        operations = operations_of(app_label)
        for name in {one.name for one in operations if isinstance(one, ProtectTable)}:
            left = [one for one in operations if not (isinstance(one, ProtectTable) and one.name == name)]
            assert any(f"{app_label}.{name}" in fault for fault in unprotected(app_label, left)), name


def test_a_protection_that_comes_before_its_table_is_found() -> None:
    operations = operations_of("portal")
    walls = [one for one in operations if isinstance(one, ProtectTable)]
    rest = [one for one in operations if not isinstance(one, ProtectTable)]
    assert sorted(unprotected("portal", walls + rest)) == PORTAL_UNPROTECTED


def test_a_protection_of_another_kind_than_the_models_is_found() -> None:
    operations = [*operations_of("kernel"), ProtectTable("AuditEntry")]
    assert len(unprotected("kernel", operations)) == 1
    assert "instead of (True, 'tenant_id')" in unprotected("kernel", operations)[0]


def test_a_reference_added_later_and_not_protected_is_found() -> None:
    payer = apps.get_model("customers.Payer")
    added = AddField("payer", "customer", payer._meta.get_field("customer"))
    assert unprotected("customers", [*operations_of("customers"), added]) == [
        "customers.payer.customer is added and not protected afterwards"
    ]


def test_makemigrations_and_migrate_are_ours() -> None:
    for name in ("makemigrations", "migrate"):
        assert load_command_class(get_commands()[name], name).autodetector is TenantAutodetector


def test_makemigrations_protects_every_model_of_every_app_from_the_beginning() -> None:
    found = detected(ProjectState())
    for app_label in OWN_APPS:
        assert unprotected(app_label, found[app_label]) == []
        wanted = {model.__name__ for model in tenant_models() if model._meta.app_label == app_label}
        assert set(protected(found[app_label])) == wanted


def test_without_our_detector_nothing_would_be_protected() -> None:
    found = detected(ProjectState(), MigrationAutodetector)
    assert sum(len(protected(operations)) for operations in found.values()) == 0
    assert sorted(unprotected("portal", found["portal"])) == PORTAL_UNPROTECTED


def test_makemigrations_protects_new_models_in_several_apps_at_once() -> None:
    before = MigrationLoader(None).project_state()
    for app_label, name in (
        ("portal", "logincode"),
        ("sms", "template"),
        ("customers", "payer"),
        ("billing", "allocation"),
    ):
        before.remove_model(app_label, name)
    found = detected(before)
    assert {app_label: protected(operations) for app_label, operations in found.items()} == {
        "portal": ["LoginCode"],
        "sms": ["Template"],
        "customers": ["Payer"],
        "billing": ["Allocation"],
    }
    assert [one.append_only for one in found["billing"] if isinstance(one, ProtectTable)] == [True]
    assert [unprotected(app_label, operations) for app_label, operations in found.items()] == [[], [], [], []]


def test_makemigrations_protects_again_whatever_gets_a_reference() -> None:
    before = MigrationLoader(None).project_state()
    for model, field in tenant_references():
        state = before.models[model._meta.app_label, model._meta.model_name]
        state.options["constraints"] = []  # they name the field that is taken out
        state.options["indexes"] = []
        before.remove_field(model._meta.app_label, model._meta.model_name, field.name)
    found = detected(before)
    added = {
        f"{app_label}.{one.model_name}.{one.name}"
        for app_label, operations in found.items()
        for one in operations
        if isinstance(one, AddField)
    }
    assert added == {f"{model._meta.label_lower}.{field.name}" for model, field in tenant_references()}
    for app_label, operations in found.items():
        assert unprotected(app_label, operations) == []
        wanted = {model.__name__ for model, _ in tenant_references() if model._meta.app_label == app_label}
        assert set(protected(operations)) == wanted


def test_makemigrations_protects_again_when_a_plain_key_becomes_a_tenants() -> None:
    before = MigrationLoader(None).project_state()
    plain = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="payers")
    before.alter_field("customers", "payer", "customer", plain, preserve_default=True)
    found = detected(before)
    assert [type(one) for one in found["customers"]] == [AlterField, ProtectTable]
    assert protected(found["customers"]) == ["Payer"]


def test_a_column_that_is_no_reference_needs_no_new_walls() -> None:
    before = MigrationLoader(None).project_state()
    before.remove_field("customers", "payer", "note")
    assert [type(one) for one in detected(before)["customers"]] == [AddField]


PLANTED_MODELS = '''
from django.db import models

from ispbilling.kernel.models import TenantForeignKey, TenantModel


class Shelf(TenantModel):
    """A field of every sort, and nothing that a row could not be made from."""

    name = models.CharField(max_length=9, unique=True)
    slug = models.SlugField(max_length=5)
    text = models.TextField()
    email = models.EmailField()
    kind = models.CharField(max_length=3, choices=[("a", "A"), ("b", "B")])
    count = models.SmallIntegerField()
    size = models.BigIntegerField(null=True)
    share = models.DecimalField(max_digits=4, decimal_places=2)
    ratio = models.FloatField()
    is_open = models.BooleanField()
    on = models.DateField()
    at = models.DateTimeField()
    facts = models.JSONField()
    body = models.BinaryField()
    address = models.GenericIPAddressField()
    outside = models.UUIDField()
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="+")


class Book(TenantModel):
    """Two references and a ring to itself."""

    shelf = TenantForeignKey(Shelf, on_delete=models.CASCADE, related_name="books")
    line = TenantForeignKey("network.Line", on_delete=models.PROTECT, null=True, related_name="+")
    before = TenantForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "shelf"], name="one_book")]


class Page(TenantModel):
    append_only = True

    book = TenantForeignKey(Book, on_delete=models.PROTECT, related_name="pages")
'''


def test_a_new_app_is_walled_by_makemigrations_alone_and_fails_every_test_without(
    django_db_setup: None, tmp_path: Path
) -> None:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "__init__.py").write_text("")
    (tmp_path / "planted" / "models.py").write_text(PLANTED_MODELS)
    (tmp_path / "planted_settings.py").write_text(
        'from ispbilling.settings.test import *\n\nINSTALLED_APPS = [*INSTALLED_APPS, "planted"]\n'
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "planted_settings",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
    }
    command = [sys.executable, "-m", "tests.house.planted"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    whole, without = found["whole"], found["without"]

    assert whole["operations"].count("ProtectTable") == 3
    assert whole["append_only"] == ["planted_page"]
    assert whole["leaks"] == {"planted_shelf": [], "planted_book": [], "planted_page": []}
    assert (whole["unprotected"], whole["missing"], whole["taken"]) == ([], {}, [])

    assert len(without["unprotected"]) == 3
    assert set(without["missing"]) == set(without["leaks"]) == {"planted_shelf", "planted_book", "planted_page"}
    assert all("nobody reads" in faults for faults in without["leaks"].values())
    assert {one.split(".")[1] for one in without["taken"]} == {"customer", "shelf", "line", "before", "book"}
