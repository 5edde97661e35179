from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from ispbilling.kernel import wake
        from payments import handlers, health  # noqa: F401  registers the handlers
        from payments.providers import cash, mpesa  # noqa: F401  registers the adapters

        wake.topic("attempts", task="payments.tasks.attempts_ask_task", queue="outside")
        health.register()
