from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import finders, handlers, health, selectors  # noqa: F401  registers the handlers
        from customers import search
        from ispbilling.kernel import live, panels
        from payments import resolvers

        search.register(finders.customers_of_paper)
        resolvers.register(selectors.customer_claiming)
        panels.register("customer", url="billing:customer_panel", title="Money", order=10, permission="billing:view")
        live.declare("payments", permission="billing:view")
        live.declare("cuts", permission="cuts:view")
        health.register()
