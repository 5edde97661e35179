from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"

    def ready(self) -> None:
        from ispbilling.kernel import panels, wake
        from sms import handlers, health  # noqa: F401  registers the handlers
        from sms.channels import africastalking, console  # noqa: F401  registers the adapters

        wake.topic("messages", task="sms.tasks.messages_send_task", queue="outside")
        panels.register("customer", url="sms:customer_panel", title="Messages", order=30, permission="messages:view")
        health.register()
