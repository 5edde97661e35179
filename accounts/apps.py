from functools import partial

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import guards, selectors, services, signals  # noqa: F401  registers the guard of staff pages, and what follows
        from ispbilling.kernel import api_log, first_steps, nav

        api_log.writer(services.api_calls_write)
        house = partial(nav.register, group="house")
        house(url="accounts:staff", title=_("Staff"), icon="users-group", permission="staff:view", order=10)
        house(url="accounts:roles", title=_("Roles"), icon="shield-check", permission="staff:roles", order=20)
        house(
            url="accounts:business",
            title=_("Business"),
            icon="building-store",
            permission="settings:business",
            order=40,
            keys="g s",
        )
        nav.action(url="accounts:invite", title=_("Invite somebody"), icon="user-plus", permission="staff:edit")
        nav.action(url="accounts:own", title=_("My account"), icon="user", permission="account:own", keys="g a")
        first_steps.register(
            "business",
            title=_("Say who you are"),
            text=_(
                "Name, telephone and address stand on invoices and on the customers' page; warnings go to your phone."
            ),
            do=_("Fill in the business"),
            url="accounts:business",
            icon="building-store",
            permission="settings:business",
            order=10,
            rows=selectors.tenants_reachable,
        )
