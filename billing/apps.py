from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import finders, handlers, health, selectors, suspense  # noqa: F401  registers the handlers
        from customers import search
        from ispbilling.kernel import counters, first_steps, live, nav, panels
        from payments import resolvers

        search.register(finders.customers_of_paper)
        resolvers.register(selectors.customer_claiming)
        resolvers.register_returned(selectors.payments_returned)
        panels.register("customer", url="billing:customer_panel", title="Money", order=10, permission="billing:view")
        panels.register(
            "payment", url="billing:payment_panel", title="Where it went", order=10, permission="billing:view"
        )
        live.declare("payments", permission="billing:view")
        live.declare("cuts", permission="cuts:view")
        health.register()
        nav.register(
            group="revenue",
            url="billing:subscriptions",
            title=_("Subscriptions"),
            icon="repeat",
            permission="billing:view",
            order=20,
            keys="g b",
        )
        nav.register(
            group="revenue",
            url="billing:invoices",
            title=_("Invoices"),
            icon="file-invoice",
            permission="invoices:view",
            order=40,
            keys="g i",
        )
        nav.register(
            group="house",
            url="billing:prices",
            title=_("Prices and tax"),
            icon="percentage",
            permission="settings:prices",
            order=55,
        )
        nav.register(
            group="revenue",
            url="billing:cuts",
            title=_("Coming cuts"),
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
        nav.register(
            group="revenue",
            url="billing:receipts",
            title=_("Receipts"),
            icon="receipt",
            permission="billing:view",
            order=35,
        )
        nav.register(
            group="revenue",
            url="billing:suspense",
            title=_("Suspense"),
            icon="help-circle",
            permission="billing:view",
            order=36,
            keys="g u",
        )
        counters.register("billing:suspense", rows=suspense.waiting, permission="billing:view", is_alarm=True)
        counters.register("billing:cuts", rows=selectors.cut_stops_open, permission="cuts:view", is_alarm=True)
        first_steps.register(
            "payment",
            title=_("Take the first payment"),
            text=_("The customer pays by phone, or you record cash on the customer's page. The line opens by itself."),
            do=_("Choose the customer"),
            url="dashboard:customers",
            icon="cash-banknote",
            permission="finance:income_create",
            order=70,
            rows=selectors.receipts_all,
        )
