from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from ispbilling.kernel import live, panels

        live.declare("alerts", permission="dashboard:view")
        panels.register(
            "customer", url="dashboard:customer_why", title="Why off or on", order=5, permission="customers:view"
        )
