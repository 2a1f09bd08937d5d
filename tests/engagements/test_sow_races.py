"""Two people at one statement of work at the same moment."""

import copy

import pytest

from engagements import selectors, services
from engagements.models import ChangeRequest, SowVersion
from engagements.rules import sow as rules
from engagements.services import changing, sows
from tests.engagements.ready import Stage
from tests.engagements.test_sign_off_races import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage():
    return Stage()


def saves(stage, sow, title, who):
    content = copy.deepcopy(sow.content) | {"title": title}

    def save():
        seen = SowVersion.objects.get(pk=sow.pk)
        return sows.save_draft(seen, content, by=who, at=stage.now, version=sow.version)

    return save


def test_of_two_who_save_from_one_version_one_is_told(stage):
    stage.at("sow_drafting")
    sow = stage.request.sows.get()
    given = together(
        saves(stage, sow, "Mine", stage.filer), saves(stage, sow, "Yours", stage.colleague)
    )
    assert sorted(type(each).__name__ for each in given) == ["Saved", "StaleWrite"]


def test_what_is_sent_is_what_was_hashed_whoever_saves_meanwhile(stage):
    stage.at("sow_drafting")
    sow = stage.request.sows.get()

    def send():
        request = type(stage.request).objects.get(pk=stage.request.pk)
        return services.move(request, "send_for_signoff", by=stage.filer, at=stage.now)

    together(saves(stage, sow, "Another", stage.colleague), send)
    sow.refresh_from_db()
    assert sow.is_frozen
    assert sow.digest == rules.digest_of(
        sow.content, request=stage.request.number, account=stage.account.name
    )


def test_a_draft_begins_once(stage):
    stage.at("sow_drafting")
    stage.request.sows.all().delete()

    def start():
        request = type(stage.request).objects.get(pk=stage.request.pk)
        return sows.start_draft(request, by=stage.filer, at=stage.now)

    given = together(start, start)
    assert sorted(type(each).__name__ for each in given) == ["NotWritable", "SowVersion"]


def test_a_change_begins_once(stage):
    stage.at("in_progress")

    def begin():
        request = type(stage.request).objects.get(pk=stage.request.pk)
        return changing.begin_change(request, by=stage.filer, at=stage.now, reason="More")

    given = together(begin, begin)
    assert sorted(type(each).__name__ for each in given) == ["ChangeRequest", "NoChange"]


def test_a_decision_and_a_save_do_not_block_each_other_for_good(stage):
    stage.at("in_progress")
    change = changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="More")
    sow = change.after

    def refuse():
        seen = ChangeRequest.objects.get(pk=change.pk)
        given = services.moving.Given(reason="Not now")
        return changing.decide(seen, "refuse", by=stage.lead, at=stage.now, given=given)

    together(saves(stage, sow, "Another", stage.filer), refuse)
    assert selectors.current_sow(stage.request).number == 1
