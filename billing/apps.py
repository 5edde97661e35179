from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import handlers, health, selectors  # noqa: F401  registers the handlers
        from ispbilling.kernel import live, panels
        from payments import resolvers

        resolvers.register(selectors.customer_claiming)
        panels.register("customer", url="billing:customer_panel", title="Money", order=10, permission="billing:view")
        live.declare("payments", permission="billing:view")
        live.declare("cuts", permission="cuts:view")
        health.register()
