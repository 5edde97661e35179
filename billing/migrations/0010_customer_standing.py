"""What lists ask of a customer stands beside him: his latest subscription, and whether he owes.

A trigger keeps it, so that whoever writes a subscription, alone or a thousand in one statement, cannot forget it. It
writes the customer's own row, whose lock every change of his subscriptions and of his account takes first.
"""

from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION customer_standing_write(of_tenant uuid, of_customer uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE customers_customer c SET
        standing = coalesce(s.standing, 'pending'),
        paid_until = coalesce(s.expires_at, '9999-12-31 00:00:00+00'),
        package_key = s.package_id
    FROM (SELECT 1) one LEFT JOIN LATERAL (
        SELECT CASE WHEN x.stopped_at IS NOT NULL AND x.state NOT IN ('pending', 'ended') THEN 'stopped' ELSE x.state END AS standing,
            x.expires_at, x.package_id
        FROM billing_subscription x WHERE x.tenant_id = of_tenant AND x.customer_id = of_customer
        ORDER BY x.created_at DESC, x.id DESC LIMIT 1
    ) s ON true
    WHERE c.tenant_id = of_tenant AND c.id = of_customer
        AND (c.standing, c.paid_until, c.package_key) IS DISTINCT FROM (
            coalesce(s.standing, 'pending'), coalesce(s.expires_at, '9999-12-31 00:00:00+00'), s.package_id)
$$;
CREATE FUNCTION customer_standing_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM customer_standing_write(OLD.tenant_id, OLD.customer_id);
    ELSE
        PERFORM customer_standing_write(NEW.tenant_id, NEW.customer_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER customer_standing_new AFTER INSERT OR DELETE ON billing_subscription
    FOR EACH ROW EXECUTE FUNCTION customer_standing_keep();
CREATE TRIGGER customer_standing_change
    AFTER UPDATE OF state, expires_at, package_id, stopped_at, created_at ON billing_subscription
    FOR EACH ROW WHEN (
        (OLD.state, OLD.expires_at, OLD.package_id, OLD.stopped_at, OLD.created_at)
        IS DISTINCT FROM (NEW.state, NEW.expires_at, NEW.package_id, NEW.stopped_at, NEW.created_at)
    ) EXECUTE FUNCTION customer_standing_keep();

CREATE FUNCTION customer_owing_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE customers_customer c SET is_owing = NEW.amount > 0
    FROM billing_ledgeraccount a
    WHERE a.tenant_id = NEW.tenant_id AND a.id = NEW.account_id AND c.tenant_id = NEW.tenant_id
        AND c.id = CASE WHEN a.kind = 'receivable' AND a.owner <> '' THEN a.owner::uuid END
        AND c.is_owing <> (NEW.amount > 0);
    RETURN NULL;
END $$;
CREATE TRIGGER customer_owing_new AFTER INSERT ON billing_ledgerbalance
    FOR EACH ROW WHEN (NEW.amount <> 0) EXECUTE FUNCTION customer_owing_keep();
CREATE TRIGGER customer_owing_change AFTER UPDATE OF amount ON billing_ledgerbalance
    FOR EACH ROW WHEN ((OLD.amount > 0) <> (NEW.amount > 0)) EXECUTE FUNCTION customer_owing_keep();

-- The owner of the tables sees no tenant's rows: what is there already is written through the platform's door.
SET LOCAL ROLE platform;
SELECT customer_standing_write(tenant_id, customer_id)
    FROM (SELECT DISTINCT tenant_id, customer_id FROM billing_subscription) s;
UPDATE customers_customer c SET is_owing = true
    FROM billing_ledgeraccount a JOIN billing_ledgerbalance b ON b.tenant_id = a.tenant_id AND b.account_id = a.id
    WHERE b.amount > 0 AND c.tenant_id = a.tenant_id
        AND c.id = CASE WHEN a.kind = 'receivable' AND a.owner <> '' THEN a.owner::uuid END;
RESET ROLE;
"""
BACKWARDS = """
DROP TRIGGER customer_owing_change ON billing_ledgerbalance;
DROP TRIGGER customer_owing_new ON billing_ledgerbalance;
DROP FUNCTION customer_owing_keep();
DROP TRIGGER customer_standing_change ON billing_subscription;
DROP TRIGGER customer_standing_new ON billing_subscription;
DROP FUNCTION customer_standing_keep();
DROP FUNCTION customer_standing_write(uuid, uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_receipt_received"), ("customers", "0003_standing")]

    operations = [
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("number__isnull", False)), fields=["tenant", "number"], name="receipt_by_number"
            ),
        ),
    ]
