from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from ispbilling.kernel import live

        live.declare("customer", permission="customers:view")
