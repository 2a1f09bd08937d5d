"""Which accounts count at another one above them, where a definition rolls children up."""

from collections.abc import Collection, Mapping


def tops(parents: Mapping[int, int], customers: Collection[int]) -> dict[int, int]:
    """Return the account at which each child counts: the topmost above it that is a customer.

    Only customers count at another account; one without a customer above it counts for itself,
    and so do all whose parents run in a ring.
    """
    found: dict[int, int] = {}
    for child in parents:
        top = _topmost(child, parents, customers) if child in customers else None
        if top is not None:
            found[child] = top
    return found


def _topmost(child: int, parents: Mapping[int, int], customers: Collection[int]) -> int | None:
    seen, above, top = {child}, parents.get(child), None
    while above is not None:
        if above in seen:
            return None
        seen.add(above)
        top = above if above in customers else top
        above = parents.get(above)
    return top
