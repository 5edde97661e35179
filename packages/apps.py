from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PackagesConfig(AppConfig):
    name = "packages"

    def ready(self) -> None:
        from ispbilling.kernel import first_steps, nav
        from packages import selectors

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
        first_steps.register(
            "package",
            title=_("Make a package"),
            text=_("What you sell: a speed, a time and a price."),
            do=_("Make a package"),
            url="packages:package_add",
            icon="package",
            permission="packages:edit",
            order=50,
            rows=selectors.packages_all,
        )
