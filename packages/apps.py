from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PackagesConfig(AppConfig):
    name = "packages"

    def ready(self) -> None:
        from ispbilling.kernel import nav

        nav.register(
            group="revenue",
            url="packages:packages",
            title=_("Packages"),
            icon="package",
            permission="packages:view",
            order=10,
            keys="g k",
        )
        nav.action(url="packages:package_add", title=_("New package"), icon="package", permission="packages:edit")
