"""A process for each size, with the application loaded on that size's database.

One answers while the others wait, so measurements of several sizes can take turns.
"""

import importlib
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection
from typing import Any, Self


class Failed(Exception):
    """What went wrong in a worker, with its traceback."""


class Worker:
    def __init__(self, url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(url, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call "module:function" over there and return what it returns."""
        self._ours.send((function, arguments))
        try:
            answer, error = self._ours.recv()
        except EOFError:
            raise Failed(f"The process that was asked for {function} has ended.") from None
        if error:
            raise Failed(error)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.join(timeout=30)
        if self._process.is_alive():
            self._process.kill()


def _work(url: str, pipe: Connection) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    os.environ.setdefault("KEEL_MODE", "test")
    import django

    django.setup()
    while True:
        try:
            name, arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            module, _, function = name.partition(":")
            pipe.send((getattr(importlib.import_module(module), function)(*arguments), ""))
        except Exception:
            pipe.send((None, traceback.format_exc()))
