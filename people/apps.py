from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config.lib.query_tokens import on_leaked_token  # noqa: PLC0415
        from events import outbox, workflow  # noqa: PLC0415
        from people import authentication  # noqa: PLC0415 models exist only now
        from people.services import passwords  # noqa: PLC0415
        from people.workflows import ABSENCE  # noqa: PLC0415

        workflow.register(ABSENCE)
        outbox.register(passwords.RESET_TOPIC, passwords.carry_password_reset)
        on_leaked_token(authentication.revoke_leaked)
