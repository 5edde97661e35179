from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from ispbilling.kernel import counters, live, nav, outbox, panels

        live.declare("alerts", permission="dashboard:view")
        panels.register(
            "customer", url="dashboard:customer_why", title="Why off or on", order=5, permission="customers:view"
        )
        nav.register(
            group="operate",
            url="dashboard:home",
            title=_("Home"),
            icon="layout-dashboard",
            permission="dashboard:view",
            order=10,
            keys="g h",
        )
        nav.register(
            group="operate",
            url="dashboard:customers",
            title=_("Customers"),
            icon="users",
            permission="customers:view",
            order=20,
            keys="g c",
        )
        nav.register(
            group="insight",
            url="dashboard:health",
            title=_("Health"),
            icon="activity",
            permission="health:view",
            order=30,
            keys="g l",
        )
        nav.register(
            group="insight",
            url="dashboard:events",
            title=_("Parked events"),
            icon="player-pause",
            permission="system:events",
            order=40,
        )
        nav.register(
            group="house",
            url="dashboard:audit",
            title=_("Audit"),
            icon="history",
            permission="audit:view",
            order=30,
        )
        nav.action(
            url="dashboard:line_add", title=_("New customer"), icon="user-plus", permission="pppoe:add_user", keys="n"
        )
        counters.register("dashboard:events", rows=outbox.events_parked, permission="system:events", is_alarm=True)
