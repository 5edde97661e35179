from django.apps import AppConfig


class NetworkConfig(AppConfig):
    name = "network"

    def ready(self) -> None:
        from ispbilling.kernel import live, panels, wake
        from network import handlers, health  # noqa: F401  registers the handlers
        from network.drivers import mikrotik  # noqa: F401  registers the adapter

        wake.topic("routers", task="network.tasks.router_converge_task", queue="network")
        panels.register("customer", url="network:customer_panel", title="Line", order=20, permission="pppoe:view")
        live.declare("sessions", permission="pppoe:view")
        live.declare("routers", permission="routers:view")
        health.register()
