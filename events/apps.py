from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from events import outbox  # noqa: PLC0415 models exist only now
        from events.services import notices  # noqa: PLC0415

        outbox.register(notices.TOPIC, notices.deliver)
