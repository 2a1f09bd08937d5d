"""Cards moved on a board of any size. Runs in a worker."""

from decimal import Decimal

from django.utils import timezone

from bench.actions.calls import OWNER, page
from bench.actions.measuring import Sample, check_constraints, execute, measured, undone
from events import workflow
from events.workflow import Given
from people.models import User
from projects.models import Project
from projects.rules import ranks
from projects.services.ordering import END, Placed, place

LANE, READY = "proposed", "ready"
FILL = """
    INSERT INTO projects_project (
        created_at, updated_at, uuid, version, state, kind, type, title, proposed_by_id,
        objectives, outcomes, in_scope, out_of_scope, if_not, roll_out_where, roll_out_told, links,
        inside_product, approval_note, effort, confidence, score, rank, blocked_by, paused_from,
        hold_code, end_code, alternative, part, summary, roll_out_note, retrospective, lift_parts
    )
    SELECT now(), now(), gen_random_uuid(), 1, 'proposed', 'internal', 'guide',
        'Runbook ' || given.number, %s, '', '', '', '', '', '', '', '[]', false, '', 'medium', '',
        given.score, given.rank, '', '', '', '', '', 1, '', '', '', '[]'
    FROM unnest(%s::int[], %s::numeric[], %s::text[]) AS given (number, score, rank)
"""
WRITTEN = "SELECT pg_stat_get_xact_tuples_updated('projects_project'::regclass)"


def in_a_column(cards: int, times: int) -> list[Sample]:
    """Move cards among so many: from the middle to the head, and from the head to the end."""
    samples = []
    lead = _lead()
    with undone():
        projects = _filled(cards)
        for number in range(times):
            middle, other = projects[cards // 2 + number], projects[number]
            samples.append(_placed(middle, other, lead))
            samples.append(_placed(other, END, lead))
        _check_order(cards)
    return samples


def to_another(cards: int, times: int) -> list[Sample]:
    """Move cards back to a column that holds so many, each to its place by score."""
    samples = []
    lead = _lead()
    with undone():
        projects = _filled(cards)
        for card in projects[cards // 2 : cards // 2 + times]:
            workflow.place(card, READY)
            samples.append(_placed(card, None, lead))
        _check_order(cards)
    return samples


def shown(cards: int, times: int) -> list[Sample]:
    """Show the board with so many cards."""
    samples = []
    page("/board/", user=OWNER)
    with undone():
        _filled(cards)
        for _ in range(times):
            sample = measured(lambda: page("/board/", user=OWNER))
            answer = sample.more["result"]
            assert answer.status == 200, f"The board answers {answer.status}."
            sample.more = {"bytes": len(answer.body)}
            samples.append(sample)
    return samples


def _placed(card: Project, before: Project | str | None, lead: User) -> Sample:
    given = Given() if card.state == LANE else Given(reason="Not now.")
    ((written,),) = execute(WRITTEN)

    def move() -> Placed:
        placed = place(card, lane=LANE, before=before, by=lead, at=timezone.now(), given=given)
        check_constraints()
        return placed

    sample = measured(move)
    ((after,),) = execute(WRITTEN)
    sample.more = {"rows": after - written}
    return sample


def _check_order(cards: int) -> None:
    found = Project.objects.filter(state=LANE).values_list("rank", flat=True)
    assert len(set(found)) == cards


def _filled(cards: int) -> list[Project]:
    numbers = list(range(cards))
    scores = [Decimal(cards - number) / cards * 100 for number in numbers]
    execute(FILL, [OWNER, numbers, scores, ranks.spread(cards)])
    execute("ANALYZE projects_project")
    return list(Project.objects.filter(state=LANE).order_by("rank"))


def _lead() -> User:
    lead = User.objects.get(pk=OWNER)
    lead.roles = frozenset({"de_lead"})
    return lead
