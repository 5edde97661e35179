from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import guards, services, signals  # noqa: F401  registers the guard of staff pages, and what follows
        from ispbilling.kernel import api_log

        api_log.writer(services.api_calls_write)
