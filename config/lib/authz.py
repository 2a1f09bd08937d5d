from collections.abc import Callable
from typing import ParamSpec

from django.core.exceptions import PermissionDenied

P = ParamSpec("P")


def require(predicate: Callable[P, bool], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """Answer 403 unless the permission predicate holds.

    The predicate's docstring says who may, and is what the refused person reads.
    """
    if not predicate(*args, **kwargs):
        raise PermissionDenied((predicate.__doc__ or "").strip())
