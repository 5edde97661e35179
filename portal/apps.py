from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from ispbilling.kernel import counters, nav
        from portal import auth, selectors  # noqa: F401  registers the guard of customers' pages

        nav.register(
            group="operate",
            url="portal_staff:leads",
            title=_("Requests for a line"),
            icon="phone",
            permission="pppoe:add_user",
            order=40,
        )
        nav.register(
            group="house",
            url="portal_staff:settings",
            title=_("Customer portal"),
            icon="device-mobile",
            permission="settings:business",
            order=35,
        )
        counters.register("portal_staff:leads", rows=selectors.leads_open, permission="pppoe:add_user")
