"""What scores, votes and places given by hand look like over the API."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.lib import fields, values
from engagements.models import Confidence, Effort
from people.models import User
from people.rows import WriterRow
from projects.api.project_rows import ImpactField
from projects.models import MOST_DAYS, Project, RankOverride
from projects.rules import scoring as rules
from projects.rules.scoring import Arithmetic, Policy
from projects.selectors.scoring import Entry, Poll
from projects.services.overriding import REASON_MAX as HAND_REASON_MAX
from projects.services.scoring import REASON_MAX

NUMBERS = {"type": "object", "additionalProperties": {"type": "string"}}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
LIMITS = {"type": "object", "additionalProperties": {"type": ["integer", "null"]}}


@extend_schema_field({"type": "string", "pattern": r"^\d{1,3}(\.\d)?$", "examples": ["4.5"]})
class DaysField(fields.StrictField):
    """Days of work of one engineer as a decimal string, to the tenth."""

    def parse(self, data: Any) -> Decimal:
        days = values.parse_decimal(data, places=1, whole_digits=3)
        if not days:
            raise values.BadValue("too_small", f"More than 0 days, and {MOST_DAYS} at most.")
        return days

    @staticmethod
    def write(value: Any) -> str:
        return rules.plain(value)


class PlainNumbers(fields.JsonField):
    """Numbers by level."""


extend_schema_field(NUMBERS)(PlainNumbers)


class PlainCounts(fields.JsonField):
    """Counts by level."""


extend_schema_field(COUNTS)(PlainCounts)


class PlainLimits(fields.JsonField):
    """Most days by effort; null: any number."""


extend_schema_field(LIMITS)(PlainLimits)


class ArithmeticRow(serializers.Serializer[Any]):
    """How a score comes about: `text` is all of it in a line."""

    points = fields.RatioField()
    factor = fields.RatioField()
    score = fields.RatioField()
    text = fields.PlainField()


class ScorePolicyRow(serializers.Serializer[Any]):
    """The rule in force: points by impact, factors and most days by effort."""

    number = fields.IntegerField()
    start = fields.DateField()
    points = PlainNumbers()
    factors = PlainNumbers()
    days = PlainLimits()


class ScoringRow(serializers.Serializer[Any]):
    """One answer, with its arithmetic under the rule of its day."""

    impact = ImpactField(allow_null=True)
    effort = fields.ChoiceField(Effort.values, allow_null=True)
    days = DaysField(allow_null=True)
    confidence = fields.ChoiceField(Confidence.values, allow_null=True)
    score = fields.RatioField(allow_null=True)
    arithmetic = ArithmeticRow(allow_null=True)
    policy = fields.IntegerField()
    reason = fields.LinesField()
    by = WriterRow()
    at = fields.DateTimeField()


class OverrideRow(serializers.Serializer[Any]):
    """A place in the ranked list by hand: directly before a project, or last (null)."""

    before = fields.UuidField(allow_null=True)
    reason = fields.PlainField()
    expires_on = fields.DateField()
    by = WriterRow()
    at = fields.DateTimeField()


class ScoreRow(serializers.Serializer[Any]):
    """Why a project scores what it does. It never depends on other projects."""

    project = fields.UuidField()
    number = fields.PlainField()
    version = fields.IntegerField()
    impact = ImpactField(allow_null=True)
    effort = fields.ChoiceField(Effort.values, allow_null=True)
    days = DaysField(allow_null=True)
    confidence = fields.ChoiceField(Confidence.values, allow_null=True)
    score = fields.RatioField(allow_null=True)
    arithmetic = ArithmeticRow(allow_null=True)
    policy = ScorePolicyRow()
    override = OverrideRow(allow_null=True)
    history = ScoringRow(many=True)


class ScoreBody(fields.StrictSerializer):
    """What is not sent stays. `reason` is needed where impact or effort was known and changes."""

    impact = ImpactField(required=False, allow_null=True)
    effort = fields.ChoiceField(Effort.values, required=False, allow_null=True)
    days = DaysField(required=False, allow_null=True)
    confidence = fields.ChoiceField(Confidence.values, required=False, allow_null=True)
    reason = fields.LinesField(max_length=REASON_MAX, required=False, blank=True)


class VoteBody(fields.StrictSerializer):
    """One's own answer; sent again it takes the place of the former."""

    impact = ImpactField()
    effort = fields.ChoiceField(Effort.values)


class RoundBody(fields.StrictSerializer):
    """true opens a round where none is open, false closes the one that is."""

    is_open = fields.BooleanField()


class BallotRow(serializers.Serializer[Any]):
    impact = ImpactField()
    effort = fields.ChoiceField(Effort.values)


class SpreadRow(serializers.Serializer[Any]):
    """Votes by level; the middle, the careful one of two; who voted furthest from it."""

    impacts = PlainCounts()
    efforts = PlainCounts()
    impact = ImpactField()
    effort = fields.ChoiceField(Effort.values)
    furthest = WriterRow(many=True)


class PollRow(serializers.Serializer[Any]):
    """The newest round of votes. `own` is yours; `spread` is null while the round is open."""

    is_open = fields.BooleanField()
    voters = fields.IntegerField()
    own = BallotRow(allow_null=True)
    spread = SpreadRow(allow_null=True)
    opened_at = fields.DateTimeField(allow_null=True)
    closed_at = fields.DateTimeField(allow_null=True)


class OverrideBody(fields.StrictSerializer):
    """Directly before which project, or last (null); why; and the last day it holds."""

    before = fields.UuidField(allow_null=True)
    reason = fields.TextField(max_length=HAND_REASON_MAX)
    expires_on = fields.DateField()


def person(user: User) -> dict[str, str]:
    return {"id": str(user.uuid), "name": user.name}


def told_arithmetic(found: Arithmetic | None) -> dict[str, str] | None:
    if found is None:
        return None
    return {
        "points": rules.plain(found.points),
        "factor": rules.plain(found.factor),
        "score": rules.plain(found.score),
        "text": str(found),
    }


def told_answer(answered: Any) -> dict[str, Any]:
    """Return impact, effort, days, confidence and score of a project or of one scoring."""
    return {
        "impact": answered.impact,
        "effort": answered.effort or None,
        "days": rules.plain(answered.days) if answered.days is not None else None,
        "confidence": answered.confidence or None,
        "score": rules.plain(answered.score) if answered.score is not None else None,
    }


def told_policy(policy: Policy) -> dict[str, Any]:
    start = fields.DateField.write(policy.start)
    return {"number": policy.number, "start": start, **rules.written(policy)}


def told_entry(entry: Entry) -> dict[str, Any]:
    row = entry.scoring
    return {
        **told_answer(row),
        "arithmetic": told_arithmetic(entry.arithmetic),
        "policy": row.policy.number,
        "reason": row.reason,
        "by": person(row.by),
        "at": fields.DateTimeField.write(row.at),
    }


def told_override(found: RankOverride | None, before: Project | None) -> dict[str, Any] | None:
    """`before` is the project it stands before, where the reader may know of it."""
    if found is None:
        return None
    return {
        "before": str(before.uuid) if before else None,
        "reason": found.reason,
        "expires_on": fields.DateField.write(found.expires_on),
        "by": person(found.by),
        "at": fields.DateTimeField.write(found.at),
    }


def told_poll(poll: Poll | None) -> dict[str, Any]:
    if poll is None:
        nothing = {"own": None, "spread": None, "opened_at": None, "closed_at": None}
        return {"is_open": False, "voters": 0, **nothing}
    closed = poll.round.closed_at
    own = poll.own
    return {
        "is_open": poll.is_open,
        "voters": poll.voters,
        "own": {"impact": own.impact, "effort": own.effort} if own else None,
        "spread": _told_spread(poll),
        "opened_at": fields.DateTimeField.write(poll.round.opened_at),
        "closed_at": fields.DateTimeField.write(closed) if closed else None,
    }


def _told_spread(poll: Poll) -> dict[str, Any] | None:
    spread = poll.spread
    if spread is None:
        return None
    return {
        "impacts": {str(level): count for level, count in spread.impacts.items()},
        "efforts": dict(spread.efforts),
        "impact": spread.impact,
        "effort": spread.effort,
        "furthest": [person(each) for each in poll.furthest],
    }
