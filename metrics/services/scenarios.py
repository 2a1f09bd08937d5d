"""Keeping a what-if, to see later what came of it."""

import datetime as dt

from django.db import transaction

from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.values import BadValue, parse_text
from events import services as events
from metrics import permissions
from metrics.models import Scenario
from metrics.selectors import scenarios
from metrics.selectors.what_if import Answer
from people.models import User

NAME_MAX = 120


@transaction.atomic
def keep_scenario(answer: Answer, name: str, *, by: User, at: dt.datetime) -> Scenario:
    require(permissions.can_keep_scenarios, by)
    if not answer.choices and not answer.typed:
        raise Invalid("Choose some work first: there is nothing to compare with later.")
    scenario = Scenario.objects.create(
        name=_parsed(name),
        run=answer.run,
        asked=scenarios.asked(answer),
        told=scenarios.told(answer),
        by=by,
        at=at,
    )
    events.record("scenario.kept", scenario, by=by, after={"name": scenario.name})
    return scenario


@transaction.atomic
def delete_scenario(scenario: Scenario, *, by: User) -> None:
    require(permissions.can_delete_scenario, by, scenario)
    events.record("scenario.deleted", scenario, by=by, before={"name": scenario.name})
    scenario.delete()


def _parsed(name: str) -> str:
    try:
        return parse_text(name, max_length=NAME_MAX)
    except BadValue as bad:
        raise Invalid(bad.detail, field="name", code=bad.code) from bad
