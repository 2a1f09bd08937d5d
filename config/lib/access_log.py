"""The web server's own log, where an operator turns it on: without what opens anything."""

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config.lib.logging import clean


class MaskedLogger(Logger):
    """Masks one-time keys and tokens in every part of a line: path, referrer, headers."""

    def atoms(self, *request: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*request)
        return {
            name: clean(value) if isinstance(value, str) else value for name, value in atoms.items()
        }
