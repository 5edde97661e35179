from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from dashboard.bulk_actions import ALL
        from ispbilling.kernel import bulk, live, panels

        live.declare("alerts", permission="dashboard:view")
        panels.register(
            "customer", url="dashboard:customer_why", title="Why off or on", order=5, permission="customers:view"
        )
        panels.register(
            "customer", url="dashboard:customer_notes", title=_("Notes"), order=7, permission="customers:view"
        )
        panels.register(
            "customer", url="dashboard:customer_documents", title=_("Files"), order=60, permission="customers:documents"
        )
        for action in ALL:
            bulk.register(action())
