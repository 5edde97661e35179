"""The router of a customer's latest line stands beside him, for lists to ask by."""

from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION customer_router_write(of_tenant uuid, of_customer uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE customers_customer c SET router_key = l.router_id
    FROM (SELECT 1) one LEFT JOIN LATERAL (
        SELECT x.router_id FROM network_line x WHERE x.tenant_id = of_tenant AND x.customer_id = of_customer
        ORDER BY x.created_at DESC, x.id DESC LIMIT 1
    ) l ON true
    WHERE c.tenant_id = of_tenant AND c.id = of_customer AND c.router_key IS DISTINCT FROM l.router_id
$$;
CREATE FUNCTION customer_router_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM customer_router_write(OLD.tenant_id, OLD.customer_id);
    ELSE
        PERFORM customer_router_write(NEW.tenant_id, NEW.customer_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER customer_router_new AFTER INSERT OR DELETE ON network_line
    FOR EACH ROW EXECUTE FUNCTION customer_router_keep();
CREATE TRIGGER customer_router_change AFTER UPDATE OF router_id ON network_line
    FOR EACH ROW WHEN (OLD.router_id <> NEW.router_id) EXECUTE FUNCTION customer_router_keep();

-- The owner of the tables sees no tenant's rows: what is there already is written through the platform's door.
SET LOCAL ROLE platform;
SELECT customer_router_write(tenant_id, customer_id) FROM (SELECT DISTINCT tenant_id, customer_id FROM network_line) l;
RESET ROLE;
"""
BACKWARDS = """
DROP TRIGGER customer_router_change ON network_line;
DROP TRIGGER customer_router_new ON network_line;
DROP FUNCTION customer_router_keep();
DROP FUNCTION customer_router_write(uuid, uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("network", "0005_lease_holder"), ("customers", "0003_standing")]

    operations = [
        migrations.RunSQL(FORWARDS, BACKWARDS),
        # Compared by range on bytes, so that the beginning of an address finds its customer by index.
        migrations.AlterField("session", "address", models.CharField(db_collation="C", max_length=45)),
        migrations.AlterField("session", "mac", models.CharField(db_collation="C", max_length=17)),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("stopped_at", None)), fields=["tenant", "address"], name="session_address"
            ),
        ),
        migrations.AddIndex(
            model_name="session", index=models.Index(fields=["tenant", "mac"], name="session_mac")
        ),
    ]
