"""``makemigrations`` that puts the walls around every new tenant table."""

from django.core.management.commands import makemigrations

from ispbilling.kernel.migration import TenantAutodetector


class Command(makemigrations.Command):
    autodetector = TenantAutodetector
