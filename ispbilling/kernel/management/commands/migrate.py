"""``migrate`` that notices missing walls as missing migrations."""

from django.core.management.commands import migrate

from ispbilling.kernel.migration import TenantAutodetector


class Command(migrate.Command):
    autodetector = TenantAutodetector
