"""Reading the same thing once while a page is put together, and not a moment longer.

    @read_once
    def current_sow(request): ...           # asks every time, but within a reading only once

    @one_reading()
    def detail(request, number): ...        # a page that only reads

A page that explains what may happen next asks the same of many guards. Nothing is kept outside a
reading, so nothing that writes ever sees what was read before.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db.models import Model

P = ParamSpec("P")
T = TypeVar("T")

_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("kept", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Keep what `read_once` reads until the end; around what writes nothing."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def read_once(read: Callable[P, T]) -> Callable[P, T]:
    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        kept = _kept.get()
        if kept is None:
            return read(*args, **kwargs)
        key = _key_of(read, *args, **kwargs)
        if key not in kept:
            kept[key] = read(*args, **kwargs)
        found: T = kept[key]
        return found

    return reading


def is_known(value: Any, read: Callable[..., Any], *args: Any) -> None:
    """Keep what another statement has read already as what this would read."""
    kept = _kept.get()
    if kept is not None:
        kept[_key_of(getattr(read, "__wrapped__", read), *args)] = value


def _key_of(read: Callable[..., Any], *args: Any, **kwargs: Any) -> Hashable:
    named = tuple((name, _key(value)) for name, value in sorted(kwargs.items()))
    return (read, tuple(map(_key, args)), named)


def _key(value: Any) -> Hashable:
    """Rows are known by their key: two objects of one row read the same."""
    if isinstance(value, Model):
        return (type(value), value.pk)
    key: Hashable = value
    return key
