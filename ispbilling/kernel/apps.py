from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "ispbilling.kernel"
    label = "kernel"

    def ready(self) -> None:
        from ispbilling.kernel import wake

        wake.topic("events", task="ispbilling.kernel.tasks.events_drain_task", queue="events")
