"""Brings the tables up to date: `python -m stack.prepare` with the owner's DATABASE_URL."""

import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 the rest of this package runs without it
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", interactive=False)
    call_command("createcachetable")
    call_command("grant_app_role", require=True)


if __name__ == "__main__":
    main()
