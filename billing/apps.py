from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import handlers, health, selectors  # noqa: F401  registers the handlers
        from ispbilling.kernel import counters, live, nav, panels
        from payments import resolvers

        resolvers.register(selectors.customer_claiming)
        panels.register("customer", url="billing:customer_panel", title="Money", order=10, permission="billing:view")
        live.declare("payments", permission="billing:view")
        live.declare("cuts", permission="cuts:view")
        health.register()
        nav.register(
            group="revenue",
            url="billing:cuts",
            title=_("Cuts tonight"),
            icon="clock-pause",
            permission="cuts:view",
            order=50,
            keys="g t",
        )
        nav.register(
            group="house",
            url="billing:policy",
            title=_("Suspension"),
            icon="hourglass",
            permission="settings:policy",
            order=50,
        )
        counters.register("billing:cuts", rows=selectors.cut_stops_open, permission="cuts:view", is_alarm=True)
