from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from dashboard import selectors
        from dashboard.bulk_actions import ALL
        from ispbilling.kernel import bulk, counters, first_steps, live, nav, outbox, panels

        live.declare("alerts", permission="dashboard:view")
        panels.register(
            "customer", url="dashboard:customer_why", title=_("Why on or off"), order=5, permission="customers:view"
        )
        panels.register(
            "customer", url="dashboard:customer_notes", title=_("Notes"), order=7, permission="customers:view"
        )
        panels.register(
            "customer", url="dashboard:customer_documents", title=_("Files"), order=60, permission="customers:documents"
        )
        for action in ALL:
            bulk.register(action())
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
            url="dashboard:trends",
            title=_("Trends"),
            icon="chart-bar",
            permission="trends:view",
            order=10,
            keys="g e",
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
        nav.action(url="dashboard:start", title=_("First steps"), icon="list-check", permission="dashboard:view")
        first_steps.register(
            "customer",
            title=_("Enter the first customer"),
            text=_("A name, a phone number, a package and a line. Try it with a line of your own."),
            do=_("Enter a customer"),
            url="dashboard:line_add",
            icon="user-plus",
            permission="pppoe:add_user",
            order=60,
            rows=selectors.lines_all,
        )
        counters.register("dashboard:events", rows=outbox.events_parked, permission="system:events", is_alarm=True)
