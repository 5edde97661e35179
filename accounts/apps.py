from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import guards, signals  # noqa: F401  registers the guard of staff pages, and what follows log-ins
