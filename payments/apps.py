from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from ispbilling.kernel import first_steps, nav, wake
        from payments import handlers, health, selectors  # noqa: F401  registers the handlers
        from payments.providers import cash, mpesa  # noqa: F401  registers the adapters

        wake.topic("attempts", task="payments.tasks.attempts_ask_task", queue="outside")
        health.register()
        nav.register(
            group="revenue",
            url="payments:payments",
            title=_("Payments"),
            icon="cash-banknote",
            permission="billing:view",
            order=30,
            keys="g p",
        )
        nav.register(
            group="house",
            url="payments:gateways",
            title=_("Payment methods"),
            icon="credit-card",
            permission="settings:gateways",
            order=60,
        )
        first_steps.register(
            "gateway",
            title=_("Say how customers pay"),
            text=_("Customers pay online at any hour and are back at once. Cash is a payment method, too."),
            do=_("Add a payment method"),
            url="payments:gateway_add",
            icon="credit-card",
            permission="settings:gateways",
            order=20,
            rows=selectors.accounts_enabled,
        )
