"""No row of a tenant can point to a row of another: every reference, by raw SQL, inserting and updating.

Foreign-key checks look past the policies, so only the composite key ``(tenant_id, column)`` refuses. That it is this
key and nothing else is seen by dropping it: then the same statement goes through.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import models
from psycopg import sql

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from tests.house import walls
from tests.house.conftest import Two
from tests.house.rows import RowMaker, is_one_per_tenant, key_name, statement, tenant_models, tenant_references
from tests.house.walls import TENANTLESS, Cursor

Statement = tuple[Any, list[Any]]


def attempts(maker: RowMaker, model: type[models.Model], field: Any, target: Any) -> dict[str, Statement]:
    """Statements that make a row of the maker's tenant point to ``target``. Parents they need are written at once."""
    found = {}
    if not is_one_per_tenant(model):  # a second row would be refused for being the second
        found["insert"] = statement(model, maker.values(model, **{field.name: target}))
    if not getattr(model, "append_only", False):
        text = sql.SQL("UPDATE {} SET {} = %s WHERE id = %s").format(
            sql.Identifier(model._meta.db_table), sql.Identifier(field.column)
        )
        found["update"] = (text, [target, maker.row(model)["id"]])
    return found


def test_every_reference_inside_a_tenant_is_a_tenant_reference() -> None:
    assert [
        f"{model.__name__}.{field.name}"
        for model, field in tenant_references()
        if not isinstance(field, TenantForeignKey)
    ] == []


def test_no_table_without_a_tenant_refers_to_one_with(app: Cursor) -> None:
    pointing = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if field.is_relation and model._meta.db_table in TENANTLESS and field.related_model in tenant_models()
    ]
    assert pointing == []


def test_the_links_between_many_rows_of_a_tenant_have_a_model_of_their_own() -> None:
    """A table that Django makes for a many-to-many relation has no tenant, so it could have no wall."""
    unwalled = [
        f"{model.__name__}.{field.name}"
        for model in tenant_models()
        for field in model._meta.local_many_to_many
        if not issubclass(field.remote_field.through, TenantModel)
    ]
    assert unwalled == []


def test_every_tenant_reference_has_its_composite_key(app: Cursor) -> None:
    app.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
    )
    held = {(table, name): text for table, name, text in app.fetchall()}
    wrong = {}
    for model, field in tenant_references():
        text = held.get((model._meta.db_table, key_name(model, field)), "")
        target = field.related_model._meta.db_table
        wanted = f"FOREIGN KEY (tenant_id, {field.column}) REFERENCES {target}(tenant_id, id)"
        if not text.startswith(wanted) or "NOT VALID" in text or "INITIALLY DEFERRED" in text or "SET NULL" in text:
            wrong[f"{model.__name__}.{field.name}"] = text
    assert wrong == {}
    known = {(model._meta.db_table, key_name(model, field)) for model, field in tenant_references()}
    assert {key for key in held if key[1].endswith("_same_tenant")} == known


def test_the_names_of_composite_keys_do_not_collide() -> None:
    """PostgreSQL cuts names at 63 bytes: two long ones of a table would become one, and one key would be lost."""
    names = [(model._meta.db_table, key_name(model, field)) for model, field in tenant_references()]
    assert sorted(names) == sorted(set(names))


def test_a_key_to_another_tenants_row_is_refused(two: Two, app: Cursor) -> None:
    maker = two.a.on(app)
    wrong, tried = {}, set()
    for model, field in tenant_references():
        for way, (text, values) in attempts(maker, model, field, two.b.id_of(field.related_model)).items():
            error = walls.refusal(app, text, values)
            tried.add((model, way))
            name = f"{way} {model.__name__}.{field.name}"
            if not isinstance(error, psycopg.errors.ForeignKeyViolation):
                wrong[name] = str(error)
            elif error.diag.constraint_name != key_name(model, field):
                wrong[name] = f"refused by {error.diag.constraint_name}"
    assert wrong == {}
    assert {way for _, way in tried} == {"insert", "update"}


def test_another_tenants_row_is_not_told_apart_from_none(two: Two, app: Cursor) -> None:
    maker = two.a.on(app)
    for model, field in tenant_references():
        told = set()
        for target in (two.b.id_of(field.related_model), uuid4()):
            text, values = next(iter(attempts(maker, model, field, target).values()))
            error = walls.refusal(app, text, values)
            assert isinstance(error, psycopg.errors.ForeignKeyViolation)
            told.add(str(error).replace(str(target), "ID"))
        assert len(told) == 1, told


def test_a_key_within_the_tenant_is_taken(two: Two, app: Cursor) -> None:
    """The statements above are refused for their target alone: with one of the own tenant each goes through."""
    maker = two.a.on(app)
    for model, field in tenant_references():
        own = maker.fresh(field.related_model)["id"]
        for way, (text, values) in attempts(maker, model, field, own).items():
            assert walls.refusal(app, text, values) is None, f"{way} {model.__name__}.{field.name}"


def test_without_its_composite_key_the_same_statement_goes_through(two: Two, above: Cursor) -> None:
    maker = two.a.on(above)
    above.execute("SET LOCAL ROLE app")
    for model, field in tenant_references():
        tried = attempts(maker, model, field, two.b.id_of(field.related_model))
        with above.connection.transaction(force_rollback=True):
            above.execute("RESET ROLE")
            above.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    sql.Identifier(model._meta.db_table), sql.Identifier(key_name(model, field))
                )
            )
            above.execute("SET LOCAL ROLE app")
            for way, (text, values) in tried.items():
                assert walls.refusal(above, text, values) is None, f"{way} {model.__name__}.{field.name}"


@pytest.mark.parametrize("way", ["insert", "update"])
def test_a_key_that_waits_for_the_commit_is_refused_then(way: str, two: Two, app: Cursor) -> None:
    maker = two.a.on(app)
    payer: type[models.Model] = apps.get_model("customers.Payer")
    text, values = attempts(maker, payer, payer._meta.get_field("customer"), two.b.id_of("customers.Customer"))[way]
    app.execute("SET CONSTRAINTS ALL DEFERRED")
    app.execute(text, values)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        app.connection.commit()
