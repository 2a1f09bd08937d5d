from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "metrics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import measure  # noqa: PLC0415 -- models are not loaded before
        from events import workflow  # noqa: PLC0415
        from metrics.measure import LiftMeasure, SeatsMeasure  # noqa: PLC0415
        from metrics.workflows import ALL  # noqa: PLC0415
        from projects import measure as project_measure  # noqa: PLC0415

        measure.register(SeatsMeasure())
        project_measure.register(LiftMeasure())
        for table in ALL:
            workflow.register(table)
