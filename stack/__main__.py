"""`python -m stack COMMAND [arguments]`: what the Makefile calls."""

import os
import signal
import sys
from collections.abc import Callable

from stack import checks, launch
from stack.console import Failed, say
from stack.processes import STOP_SIGNALS
from stack.servers import database_is_given
from stack.state import State, new_secrets

INTERRUPTED = 130
USAGE = (
    "usage: python -m stack demo | serve | manage [--] ARGS | test [--] ARGS | bench [--] ARGS"
    " | chaos [--] ARGS | check | secrets"
)


def main(arguments: list[str]) -> int:
    for number in STOP_SIGNALS:
        signal.signal(number, _like_ctrl_c)
    _forget_other_databases()
    try:
        return _dispatch(arguments[0] if arguments else "", _without_dashes(arguments[1:]))
    except Failed as failure:
        say(f"\n{failure}")
        return 1
    except OSError as error:
        say(f"\n{error.filename or 'The system'}: {error.strerror or error}.")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(command: str, rest: list[str]) -> int:
    commands: dict[str, Callable[[], int]] = {
        "demo": lambda: launch.demo(State.from_environment()),
        "serve": lambda: launch.serve(State.from_environment()),
        "manage": lambda: launch.manage(State.from_environment(), rest),
        "test": lambda: launch.test(rest),
        "bench": lambda: launch.bench(rest),
        "chaos": lambda: launch.chaos(rest),
        "check": checks.check,
        "secrets": _secrets,
    }
    if command not in commands:
        say(USAGE)
        return 2
    return commands[command]()


def _secrets() -> int:
    print("\n".join(f"{name}={value}" for name, value in new_secrets().items()))
    return 0


def _without_dashes(arguments: list[str]) -> list[str]:
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def _forget_other_databases() -> None:
    """PGOPTIONS, PGSSLMODE and the like are meant for another server than ours."""
    if not database_is_given():
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]


def _like_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
