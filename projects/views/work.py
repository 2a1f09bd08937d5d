"""Projects on My work: what needs somebody, and the cards beside it."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence

from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import ago_text, day_text, days_between_text
from engagements import my_work
from engagements.my_work import Act, Further, Item
from engagements.selectors.work import Hat
from engagements.selectors.work import Need as RequestNeed
from events.workflow import workflow_named
from people.models import Absence
from people.selectors import absences_to_decide
from projects import permissions, selectors
from projects.models import Project, Review
from projects.selectors import lateness, work
from projects.selectors.reviews import next_review, review_under_way
from projects.selectors.work import Need
from projects.views.words import state_tag

SHOWN = 8
PAGE, MOVE = "projects:detail", "projects:move"
ACTS = {
    "score": Act("Score", "info", "calculator", "Score {project}", "proposed {ago}",
                 "projects:score"),
    "unblock": Act("Blocked", "bad", "octagon-x", "{project} is blocked", "{ago}: {why}",
                   PAGE),
    "late": Act("Late", "bad", "clock-alert", "{project} is late", "was to end {end}", PAGE),
    "held": Act("On hold", "warn", "pause", "Resume or decline {project}", "put on hold {ago}",
                PAGE),
    "waits": Act("Waits", "warn", "hourglass", "Decide on {project}", "made ready {ago}", PAGE),
    "start": Act("Start", "info", "play", "Start {project}", "its increment began {begin}", MOVE,
                 ("start",)),
    "deliver": Act("Deliver", "warn", "package", "Deliver {project}", "its increment ends today",
                   MOVE, ("deliver",)),
    "roll_out": Act("Roll out", "info", "rocket", "Roll out {project}", "delivered {ago}",
                    "projects:delivery"),
    "close": Act("Close", "good", "circle-check", "Close {project}", "rolled out {rolled_out}",
                 MOVE, ("close",)),
    "asked": Act("Asked of you", "info", "hand", "{who} asks for “{move}”: {project}",
                 "asked {ago}", MOVE),
    "vote": Act("Vote", "info", "vote", "Vote on {project}", "asked {ago}", "projects:score"),
    "check": Act("Outcome", "info", "sprout", "Did the seats come? {project}", "due {due}",
                 "projects:delivery"),
    "sign": Act("Sign", "warn", "signature", "Sign or reject the support plan: {project}", "",
                "projects:support"),
    "approve": Act("Approve", "warn", "badge-check", "Approve, or say why not: {project}", "",
                   "projects:support"),
}  # fmt: skip


class ProjectsAbove:
    """What My work says of projects."""

    def settled(self, needs: Sequence[RequestNeed]) -> Collection[RequestNeed]:
        """A project schedules and starts its requests: nobody does it beside."""
        along = [need for need in needs if need.act in {"schedule", "start"}]
        settled = work.settled_by_projects([need.request_id for need in along])
        return [need for need in along if need.request_id in settled]

    def needs(self, here: Here, hats: Collection[str], *, whole: bool) -> Sequence[Item]:
        if not permissions.can_see_projects(here.user):
            return []
        found = work.needs_of(here.user, at=here.now, on=here.today, hats=hats, with_sides=whole)
        rows = [_item(need, here) for need in found]
        if Hat.LEAD in hats:
            rows += _orphans(here)
        if whole or Hat.LEAD in hats:
            rows += [_absence(each, here) for each in absences_to_decide(here.user)]
        return rows

    def cards(self, here: Here, hats: Collection[str]) -> Sequence[Further]:
        return list(_cards(here, hats))


def _item(need: Need, here: Here) -> Item:
    act, project = ACTS[need.act], need.project
    words = _words(need, here)
    args = [project.pk, *act.args]
    if need.act == "asked":
        args.append(need.thing.transition)  # type: ignore[attr-defined]
    detail = [project.number, act.note.format_map(words)]
    return Item(
        title=act.title.format_map(words),
        detail=" · ".join(part for part in detail if part),
        url=reverse(act.url, args=args),
        label=act.label,
        tone=act.tone,
        icon=act.icon,
        since=need.since,
    )


def _words(need: Need, here: Here) -> dict[str, str]:
    project, thing = need.project, need.thing
    increment = project.increment if need.act in {"late", "start"} else None
    words = {
        "project": project.title,
        "ago": ago_text(need.since, here.now),
        "why": project.blocked_by.rstrip("."),
        "begin": day_text(increment.start, here.today) if increment else "",
        "end": day_text(increment.end, here.today) if increment else "",
        "rolled_out": _day(project.rolled_out_on, here),
        "due": _day(getattr(thing, "due_on", None), here),
        "who": "",
        "move": "",
    }
    if need.act == "asked":
        words["who"] = thing.by.name  # type: ignore[attr-defined]
        wanted = workflow_named("project").transition(thing.transition)  # type: ignore[attr-defined]
        words["move"] = wanted.label
    return words


def _day(day: dt.date | None, here: Here) -> str:
    return day_text(day, here.today) if day else ""


def _orphans(here: Here) -> Iterator[Item]:
    orphans = selectors.orphans(here.user)
    if count := len(orphans.artefacts):
        is_one = count == 1
        yield Item(
            "One artefact has no owner" if is_one else f"{count} artefacts have no owner",
            f"Name who maintains {'it' if is_one else 'them'}",
            f"{reverse('projects:artefacts')}?view=orphans",
            "No owner",
            "warn",
            "unlink",
            here.now,
        )
    for each in orphans.projects:
        yield Item(
            f"Find somebody for {each.project.title}",
            f"{each.project.number} · {each.why}",
            reverse("projects:detail", args=[each.project.pk]),
            "No owner",
            "warn",
            "user-x",
            here.now,
        )


def _absence(absence: Absence, here: Here) -> Item:
    days = days_between_text(absence.start, absence.end, here.today)
    cover = f"{absence.cover} stands in" if absence.cover else "nobody stands in"
    return Item(
        f"Decide: {absence.person} away {days}",
        f"{cover} · asked {ago_text(absence.asked_at, here.now)}",
        reverse("people:absence", args=[absence.uuid]),
        "Decide",
        "info",
        "tree-palm",
        absence.asked_at,
    )


def _cards(here: Here, hats: Collection[str]) -> Iterator[Further]:
    if Hat.ENGINEER in hats or Hat.LEAD in hats:
        if review := _review(here):
            yield review
        yield Further(
            "own-projects",
            "Your projects",
            reverse("projects:list") + "?view=mine",
            [_row(each, here) for each in work.own_projects(here.user)[:SHOWN]],
            "You own or lead no open project.",
        )
    if Hat.REQUESTER in hats:
        found = work.projects_of_accounts(here.user, on=here.today)[:SHOWN]
        yield Further(
            "account-projects",
            "Projects for your accounts",
            reverse("projects:list"),
            [_row(each, here) for each in found],
            "No project for your accounts is open.",
        )


def _row(project: Project, here: Here) -> Item:
    parts = [project.number]
    increment = project.increment
    if increment and project.state in lateness.AT_WORK:
        days = days_between_text(increment.start, increment.end, here.today)
        when = "Now" if increment.start <= here.today <= increment.end else "Next"
        is_late = lateness.days_late(project, here.today)
        parts.append(days if is_late else f"{when}: {days}")
    if project.score is not None:
        parts.append(f"score {project.score.normalize():f}")
    url = reverse("projects:detail", args=[project.pk])
    return Item(project.title, " · ".join(parts), url, *_state(project, here))


def _state(project: Project, here: Here) -> tuple[str, str, str]:
    if project.blocked_by:
        return "Blocked", "bad", "octagon-x"
    if lateness.days_late(project, here.today):
        return "Late", "bad", "clock-alert"
    return state_tag(project)


def _review(here: Here) -> Further | None:
    review = review_under_way() or next_review()
    if review is None:
        return None
    is_open = review.state == Review.State.OPEN
    when = review.meets_at.astimezone(here.zone)
    day = day_text(when.date(), here.today)
    row = Item(
        "The review is under way" if is_open else f"{day}, {when:%H:%M}",
        f"{review.number} · {review.chair} has the chair",
        reverse("projects:review", args=[review.pk]),
        "Under way" if is_open else "Planned",
        "info",
        "presentation",
    )
    return Further("next-review", "Next review", reverse("projects:reviews"), [row])


my_work.register(ProjectsAbove())
