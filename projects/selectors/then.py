"""The board as it stood at a moment: columns, order and cards by what was known of them."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from django.db.models import Count, Min, Q

from accounts.models import AccountVersion
from accounts.selectors.then import Versions, as_was, at_the_end, fact_of, known
from config.lib.then import Then
from people.models import User
from projects import permissions
from projects.models import (
    OVER,
    Increment,
    IncrementVersion,
    Lane,
    Project,
    ProjectAccountVersion,
    ProjectVersion,
    RankOverride,
)
from projects.selectors.board import SHOWN, Stand
from projects.selectors.cards import Facts
from projects.selectors.projects import projects_visible_to


def kept_from() -> dt.datetime | None:
    """Return since when the board is kept; None before there was a project."""
    versions = cast("Any", ProjectVersion).objects
    found: dt.datetime | None = versions.aggregate(first=Min("known_from"))["first"]
    return found


def open_then(user: User, then: Then) -> Versions:
    """Return the open projects as they stood, of those that the person may know of.

    For a token that is limited to some accounts they have to be of these alone, then and now.
    """
    rows = known(ProjectVersion, then.told_at).exclude(state__in=OVER)
    if not permissions.can_see_projects(user):
        return rows.none()
    if user.limited_to is None:
        return rows
    links = known(ProjectAccountVersion, then.told_at)
    elsewhere = links.exclude(account__uuid__in=user.limited_to)
    visible = projects_visible_to(user).order_by()
    return rows.filter(fact__in=visible.values("pk")).exclude(fact__in=elsewhere.values("project"))


def counts_then(projects: Versions) -> dict[str, int]:
    rows = projects.order_by().values("state").annotate(count=Count("pk"))
    return dict(rows.values_list("state", "count"))


def stands_then(
    projects: Versions,
    states: Sequence[str],
    *,
    totals: Mapping[str, int],
    shown: Mapping[str, int] | None = None,
) -> dict[str, Stand]:
    """Return columns by state with their first cards; see projects.selectors.board.stands."""
    most = {state: (shown or {}).get(state, SHOWN) for state in states}
    tops = [
        projects.filter(state=state).order_by("rank").values("pk")[: count + 1]
        for state, count in most.items()
    ]
    picked = tops[0].union(*tops[1:], all=True) if len(tops) > 1 else tops[0]
    cards: dict[str, list[Project]] = {state: [] for state in states}
    rows = cast("Any", ProjectVersion).objects.filter(pk__in=picked).select_related("owner")
    for version in rows.order_by("rank"):
        cards[version.state].append(fact_of(version, Project))
    return {
        state: Stand(
            # What a column might hold was another matter then.
            lane=Lane(state=state),
            projects=cards[state][: most[state]],
            next=next(iter(cards[state][most[state] :]), None),
            fitting=totals.get(state, 0),
            count=totals.get(state, 0),
        )
        for state in states
    }


def add_increments(projects: Collection[Project], then: Then) -> None:
    """Attach the increments as they were planned then."""
    ids = {each.increment_id for each in projects if each.increment_id}
    rows = known(IncrementVersion, then.told_at).filter(fact__in=ids) if ids else ()
    found = {version.fact_id: fact_of(version, Increment) for version in rows}
    for each in projects:
        each.increment = found.get(each.increment_id or 0)


def facts_then(projects: Collection[Project], then: Then) -> Mapping[int, Facts]:
    """Return by key what hung on each; how far its paper was agreed to is not kept by day."""
    ids = [each.pk for each in projects]
    accounts = _accounts_of(ids, then)
    parts = _parts_of(projects, then)
    lasting = Q(ended_at=None) | Q(ended_at__gt=then.told_at)
    by_hand = RankOverride.objects.filter(
        lasting, project__in=ids, at__lte=then.told_at, expires_on__gte=then.day
    )
    moved = set(by_hand.values_list("project_id", flat=True))
    return {
        each.pk: Facts(
            accounts=tuple(accounts[each.pk]),
            is_by_hand=each.pk in moved,
            parts=parts[each.part_of_id or each.pk],
        )
        for each in projects
    }


def _accounts_of(
    ids: Collection[int], then: Then
) -> Mapping[int, list[tuple[str, int, int | None]]]:
    links = list(known(ProjectAccountVersion, then.told_at).filter(project__in=ids))
    versions = as_was(AccountVersion, {link.account_id for link in links}, then)
    names = {pk: at_the_end(known_of, then).name for pk, known_of in versions.items()}
    found: dict[int, list[tuple[str, int, int | None]]] = defaultdict(list)
    for link in links:
        name = names.get(link.account_id, f"ACC-{link.account_id}")
        found[link.project_id].append((name, link.account_id, link.seats_likely))
    for told in found.values():
        told.sort(key=lambda each: each[:2])
    return found


def _parts_of(projects: Collection[Project], then: Then) -> Counter[int]:
    roots = {each.part_of_id or each.pk for each in projects}
    rows = known(ProjectVersion, then.told_at).filter(Q(fact__in=roots) | Q(part_of__in=roots))
    return Counter(root or pk for pk, root in rows.values_list("fact_id", "part_of_id"))
