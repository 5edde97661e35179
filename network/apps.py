from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NetworkConfig(AppConfig):
    name = "network"

    def ready(self) -> None:
        from customers import search
        from ispbilling.kernel import counters, first_steps, live, nav, panels, wake
        from network import finders, handlers, health, selectors  # noqa: F401  registers the handlers
        from network.drivers import mikrotik  # noqa: F401  registers the adapter

        search.register(finders.customers_of_session)
        wake.topic("routers", task="network.tasks.router_converge_task", queue="network")
        panels.register("customer", url="network:customer_panel", title="Line", order=20, permission="pppoe:view")
        live.declare("sessions", permission="pppoe:view")
        live.declare("routers", permission="routers:view")
        health.register()
        nav.register(
            group="operate",
            url="network:sessions",
            title=_("Live sessions"),
            icon="activity",
            permission="pppoe:view",
            order=30,
            keys="g o",
        )
        nav.register(
            group="network",
            url="network:routers",
            title=_("Routers"),
            icon="router",
            permission="routers:view",
            order=10,
            keys="g r",
        )
        nav.register(
            group="network",
            url="network:wall",
            title=_("Behind the wall"),
            icon="wall",
            permission="routers:wall",
            order=40,
        )
        counters.register("network:routers", rows=selectors.routers_down, permission="routers:view", is_alarm=True)
        nav.action(url="network:router_new", title=_("New router"), icon="router", permission="routers:manage")
        first_steps.register(
            "router",
            title=_("Connect a router"),
            text=_(
                "It lets in who has paid and keeps out who has not. This step is done when the router has answered."
            ),
            do=_("Enter a router"),
            url="network:router_new",
            icon="router",
            permission="routers:manage",
            order=40,
            rows=selectors.routers_known,
        )
