from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import auth  # noqa: F401  registers the guard of customers' pages
