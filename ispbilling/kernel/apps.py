from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "ispbilling.kernel"
    label = "kernel"

    def ready(self) -> None:
        # Whoever runs Django may send tasks: without this import they would go to a default application.
        from ispbilling import celery  # noqa: F401
        from ispbilling.kernel import (
            rest_schema,  # noqa: F401  tells the document how one makes oneself known
            vitals,
            wake,
        )

        wake.topic("events", task="ispbilling.kernel.tasks.events_drain_task", queue="events")
        wake.topic("bulk", task="ispbilling.kernel.tasks.bulk_run_task", queue="default")
        vitals.register()
