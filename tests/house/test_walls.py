"""The walls between tenants, tried with raw SQL as the role ``app``."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from ispbilling.kernel import tenancy
from ispbilling.kernel.models import TenantForeignKey, TenantModel
from tests import factories

#: Tables that belong to no tenant, each with the reason.
TENANTLESS = {
    "account_emailaddress": "staff log in before a tenant is known",
    "account_emailconfirmation": "staff log in before a tenant is known",
    "accounts_user": "a person may work for several tenants",
    "accounts_user_groups": "link table of users",
    "accounts_user_user_permissions": "link table of users",
    "auth_group": "Django's own, unused",
    "auth_group_permissions": "Django's own, unused",
    "auth_permission": "Django's own",
    "axes_accessattempt": "failed log-ins, before a tenant is known",
    "axes_accessattemptexpiration": "failed log-ins, before a tenant is known",
    "axes_accessfailurelog": "failed log-ins, before a tenant is known",
    "axes_accesslog": "log-ins, before a tenant is known",
    "django_content_type": "Django's own",
    "django_migrations": "Django's own",
    "django_session": "sessions begin before a tenant is known",
    "kernel_clock": "one clock for the installation",
    "kernel_jobrun": "schedules of the installation",
}


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        return sorted(row[0] for row in cursor.fetchall())


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        return {row[0] for row in cursor.fetchall()}


@pytest.fixture
def populated(db: None) -> tuple[Any, Any]:
    """Two tenants, each with rows in as many tables as their services reach."""
    from tests.billing.test_receipts import paid

    made = []
    for _ in range(2):
        tenant = factories.tenant_make()
        with tenancy.tenant_context(tenant.id):
            line = factories.line_make()
            paid(line.subscription, "1500", number=f"R-{tenant.slug}")
            factories.staff_make(tenant, "owner")
        made.append(tenant)
    return made[0], made[1]


def test_tests_run_as_the_role_app(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("app", False, False)


def test_every_table_has_its_walls_or_a_reason(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p"
            " WHERE p.polrelid = c.oid AND p.polname = 'tenant_wall') FROM pg_class c"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
        )
        walled = dict(cursor.fetchall())
    assert {table for table, has_wall in walled.items() if not has_wall} == set(TENANTLESS)


def test_without_a_tenant_every_walled_table_is_empty(populated: Any) -> None:
    seen = {}
    for table in sorted(set(tables()) - set(TENANTLESS)):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            seen[table] = cursor.fetchone()[0]
    assert {table: count for table, count in seen.items() if count} == {}


def test_a_tenant_sees_its_own_rows_alone(populated: Any) -> None:
    first, _ = populated
    filled = 0
    with tenancy.tenant_context(first.id):
        for table in sorted(set(tables()) - set(TENANTLESS)):
            column = "tenant_id" if "tenant_id" in columns(table) else "id"
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT count(*), count(*) FILTER (WHERE "{column}" = %s) FROM "{table}"', [first.id])
                everything, own = cursor.fetchone()
            assert everything == own, table
            filled += bool(own)
    assert filled >= 20


def test_a_tenant_cannot_write_a_row_for_another(populated: Any) -> None:
    first, second = populated
    refused = []
    with tenancy.tenant_context(first.id):
        for table in sorted(set(tables()) - set(TENANTLESS)):
            if "tenant_id" not in columns(table):
                continue
            with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f'INSERT INTO "{table}" (id, tenant_id) VALUES (%s, %s)', [uuid4(), second.id])
            refused.append(table)
            assert "row-level security" in str(caught.value), table
    assert len(refused) >= 30


def test_another_tenants_rows_are_neither_changed_nor_deleted(populated: Any) -> None:
    first, second = populated
    with tenancy.tenant_context(first.id):
        for table in sorted(set(tables()) - set(TENANTLESS)):
            column = "tenant_id" if "tenant_id" in columns(table) else "id"
            if _is_append_only(table):
                continue
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f'UPDATE "{table}" SET id = id WHERE "{column}" = %s', [second.id])
                assert cursor.rowcount == 0, table
                cursor.execute(f'DELETE FROM "{table}" WHERE "{column}" = %s', [second.id])
                assert cursor.rowcount == 0, table


def _is_append_only(table: str) -> bool:
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    return bool(getattr(model, "append_only", False))


def references() -> list[tuple[type[models.Model], Any]]:
    return [
        (model, field)
        for model in apps.get_models()
        if issubclass(model, TenantModel)
        for field in model._meta.local_fields
        if field.is_relation and field.name != "tenant" and issubclass(field.related_model, TenantModel)
    ]


def test_every_reference_inside_a_tenant_is_a_tenant_reference() -> None:
    assert [
        f"{model.__name__}.{field.name}" for model, field in references() if not isinstance(field, TenantForeignKey)
    ] == []


def test_every_tenant_reference_has_its_composite_key(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'")
        held = set(cursor.fetchall())
    missing = [
        f"{model.__name__}.{field.name}"
        for model, field in references()
        if (model._meta.db_table, f"{model._meta.db_table}_{field.column}_same_tenant"[:63]) not in held
    ]
    assert missing == []


def test_a_key_to_another_tenants_row_is_refused(populated: Any) -> None:
    first, second = populated
    tried = 0
    for model, field in references():
        with tenancy.tenant_context(second.id):
            foreign = field.related_model.objects.values_list("id", flat=True).first()
        with tenancy.tenant_context(first.id):
            own = model.objects.values_list("id", flat=True).first()  # type: ignore[attr-defined]
            if foreign is None or own is None or getattr(model, "append_only", False):
                continue
            with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s WHERE id = %s', [foreign, own]
                )
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert "same_tenant" in str(caught.value), f"{model.__name__}.{field.name}"
            tried += 1
    assert tried >= 10


def test_the_ledger_and_the_audit_cannot_be_changed(populated: Any) -> None:
    first, _ = populated
    with tenancy.tenant_context(first.id):
        for table in ("billing_ledgerentry", "billing_ledgerleg", "billing_allocation", "kernel_auditentry"):
            for statement in (f'UPDATE "{table}" SET id = id', f'DELETE FROM "{table}"'):
                with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(statement)


def test_the_platform_cannot_change_the_ledger_either(populated: Any) -> None:
    with pytest.raises(DatabaseError), tenancy.platform("test"), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_ledgerleg SET amount = 1")


def test_managers_refuse_to_answer_without_a_tenant(db: None) -> None:
    from customers.models import Customer

    with pytest.raises(tenancy.TenantMissing):
        Customer.objects.count()


def test_the_tenant_is_gone_after_its_block(populated: Any) -> None:
    first, _ = populated
    with tenancy.tenant_context(first.id):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer")
        assert cursor.fetchone() == (0,)


def test_the_platform_is_left_after_its_block(populated: Any) -> None:
    with tenancy.platform("test"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer")
        assert cursor.fetchone()[0] >= 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer")
        assert cursor.fetchone() == (0,)


def test_a_new_tenant_table_gets_its_walls_by_makemigrations(db: None) -> None:
    from django.db.migrations import CreateModel
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ModelState, ProjectState

    from ispbilling.kernel.migration import ProtectTable, TenantAutodetector

    state = MigrationLoader(None).project_state()
    without = state.clone()
    without.remove_model("portal", "logincode")
    full = ProjectState.from_apps(apps)
    assert isinstance(full.models["portal", "logincode"], ModelState)
    changes = TenantAutodetector(without, full).changes(graph=MigrationLoader(None).graph, trim_to_apps={"portal"})
    operations = [operation for migration in changes["portal"] for operation in migration.operations]
    assert [operation.name for operation in operations if isinstance(operation, ProtectTable)] == ["LoginCode"]
    [made] = [operation for operation in operations if isinstance(operation, CreateModel)]
    # Added afterwards the column would want its default, the current tenant, which a migration does not have.
    assert "tenant" in dict(made.fields)
