from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SmsConfig(AppConfig):
    name = "sms"

    def ready(self) -> None:
        from ispbilling.kernel import first_steps, nav, panels, wake
        from sms import handlers, health, selectors  # noqa: F401  registers the handlers
        from sms.channels import africastalking, console  # noqa: F401  registers the adapters

        wake.topic("messages", task="sms.tasks.messages_send_task", queue="outside")
        panels.register("customer", url="sms:customer_panel", title="Messages", order=30, permission="messages:view")
        health.register()
        nav.register(
            group="insight",
            url="sms:messages",
            title=_("Messages"),
            icon="message",
            permission="messages:view",
            order=20,
            keys="g m",
        )
        nav.register(
            group="house",
            url="sms:channels",
            title=_("Message accounts"),
            icon="send",
            permission="settings:messages",
            order=70,
        )
        nav.register(
            group="house",
            url="sms:wordings",
            title=_("What messages say"),
            icon="template",
            permission="messages:wordings",
            order=75,
        )
        first_steps.register(
            "messages",
            title=_("Let messages reach customers"),
            text=_("Customers sign in with a code by SMS, and hear when time runs out and when money has come."),
            do=_("Add a message account"),
            url="sms:channel_add",
            icon="send",
            permission="settings:messages",
            order=30,
            rows=selectors.accounts_enabled,
        )
