"""Days off: who asks, who decides, who stands in, and who may read why."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from config.lib.errors import Conflict, Invalid, StaleWrite
from events.models import Event, Notice
from events.services import acting_token
from events.workflow import Blocked, Given
from people import here, selectors, tasks
from people.models import Absence
from people.services.absences import (
    ask_for_absence,
    begin_and_end,
    change_absence,
    move_absence,
)
from tests import factories

pytestmark = pytest.mark.django_db
DAYS = dt.timedelta


class Scene:
    def __init__(self):
        make = factories.UserFactory
        self.noor = make(name="Noor", roles=["de_engineer"])
        self.sam = make(name="Sam", roles=["de_engineer"])
        self.lead = make(name="Ruth", roles=["de_lead"])
        self.leader = make(name="Helena", roles=["leadership"])
        self.now = timezone.now()
        self.today = here.today(self.now)

    def ask(self, person=None, start=7, days=5, **more):
        person = person or self.noor
        begins = self.today + DAYS(start)
        return ask_for_absence(
            **{
                "person": person,
                "start": begins,
                "end": begins + DAYS(days - 1),
                "cover": self.sam,
                "note": "My sister marries.",
                "by": person,
                "at": self.now,
                **more,
            }
        )

    def move(self, absence, name, by=None, **given):
        move_absence(absence, name, by=by or self.lead, at=self.now, given=Given(**given))
        return absence.state


@pytest.fixture
def scene(db):
    return Scene()


def told(person):
    return set(Notice.objects.filter(to=person).values_list("kind", flat=True))


def test_an_absence_is_asked_for_approved_begins_and_ends(scene):
    absence = scene.ask()
    assert (told(scene.lead), told(scene.leader)) == ({"asked_of_you"}, {"asked_of_you"})
    assert scene.move(absence, "approve") == "approved"
    assert told(scene.noor) == {"decision"}
    assert absence.decided_by == scene.lead

    assert begin_and_end(at=scene.now) == 0
    assert begin_and_end(at=scene.now + DAYS(7)) == 1
    absence.refresh_from_db()
    assert absence.state == "active"
    begin_and_end(at=scene.now + DAYS(12))
    absence.refresh_from_db()
    assert absence.state == "ended"
    assert tasks.turn_absences() == 0


def test_why_somebody_is_away_is_sealed_and_stays_out_of_mails(scene):
    scene.ask()
    (event,) = Event.objects.filter(verb="absence.asked_for")
    assert set(event.after["note"]) == {"sealed"}
    assert event.object_label == ""
    assert not any("sister" in each.title + each.body for each in Notice.objects.all())


def test_nobody_decides_on_their_own_absence_and_no_token_on_any(scene):
    own = scene.ask(scene.lead)
    with pytest.raises(PermissionDenied):
        scene.move(own, "approve", scene.lead)
    assert scene.move(own, "approve", scene.leader) == "approved"
    token = acting_token.set("abc")
    try:
        with pytest.raises(PermissionDenied):
            scene.move(scene.ask(), "approve")
    finally:
        acting_token.reset(token)


def test_leads_enter_absences_for_others_and_engineers_do_not(scene):
    absence = scene.ask(by=scene.lead)
    assert (absence.person, absence.asked_by) == (scene.noor, scene.lead)
    with pytest.raises(PermissionDenied):
        scene.ask(scene.noor, start=30, by=scene.sam)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"days": 0}, "end"),
        ({"days": 400}, "end"),
        ({"start": -200}, "start"),
        ({"start": 900}, "end"),
        ({"note": "\x00"}, "note"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(scene, more, field):
    with pytest.raises(Invalid) as refusal:
        scene.ask(**more)
    assert refusal.value.field == field


def test_two_absences_of_one_person_do_not_overlap(scene):
    scene.ask()
    with pytest.raises(Invalid, match=r"Noor is away .* already"):
        scene.ask(start=11)
    assert scene.ask(start=12)


def test_who_stands_in_is_there_and_somebody_else(scene):
    scene.ask(scene.sam, start=9, days=1, cover=None)
    with pytest.raises(Invalid, match="Sam is away"):
        scene.ask()
    with pytest.raises(Invalid, match="Somebody else"):
        scene.ask(cover=scene.noor)
    with pytest.raises(Invalid, match="cannot stand in"):
        scene.ask(cover=factories.UserFactory())
    uncovered = scene.ask(cover=None)
    with pytest.raises(Blocked, match="Nobody covers"):
        scene.move(uncovered, "approve")


def test_who_stands_in_goes_only_once_somebody_else_does(scene):
    covered = scene.ask()
    scene.move(covered, "approve")
    own = scene.ask(scene.sam, start=8, cover=scene.lead)
    with pytest.raises(Blocked, match="Sam stands in for Noor"):
        scene.move(own, "approve", scene.leader)
    change_absence(covered, {"cover": scene.lead}, by=scene.noor, at=scene.now)
    change_absence(own, {"cover": scene.leader}, by=scene.sam, at=scene.now)
    assert scene.move(own, "approve", scene.leader) == "approved"


def test_it_changes_while_it_is_asked_for(scene):
    absence = scene.ask()
    later = {"start": scene.today + DAYS(8), "end": scene.today + DAYS(9), "note": ""}
    changed = change_absence(absence, later, version=1, by=scene.noor, at=scene.now)
    assert (changed.start, changed.note, changed.version) == (later["start"], "", 2)
    with pytest.raises(StaleWrite):
        change_absence(absence, {"note": "x"}, version=1, by=scene.noor, at=scene.now)
    with pytest.raises(PermissionDenied):
        change_absence(absence, {"note": "x"}, by=scene.sam, at=scene.now)
    scene.move(absence, "approve")
    with pytest.raises(Conflict, match="only the cover"):
        change_absence(absence, {"end": later["end"] + DAYS(1)}, by=scene.noor, at=scene.now)


def test_a_refusal_says_why_to_those_whose_business_it_is(scene):
    absence = scene.ask()
    with pytest.raises(ValidationError):
        scene.move(absence, "refuse")
    scene.move(absence, "refuse", reason="The launch is that week.")
    assert selectors.why_refused(absence) == "The launch is that week."
    assert absence not in selectors.absences_visible_to(scene.sam)
    assert absence in selectors.absences_visible_to(scene.noor)


def test_what_was_approved_can_be_withdrawn_and_no_longer_counts(scene):
    absence = scene.ask()
    scene.move(absence, "approve")
    with pytest.raises(PermissionDenied):
        scene.move(absence, "withdraw")
    assert scene.move(absence, "withdraw", scene.noor) == "withdrawn"
    assert not selectors.absences_between(absence.start, absence.end).exists()
    assert not absence.counts


def test_my_work_names_own_absences_cover_and_decisions(scene):
    absence = scene.ask()
    assert selectors.away_and_cover(scene.noor, scene.today).mine == [absence]
    assert selectors.away_and_cover(scene.sam, scene.today).covers == [absence]
    assert selectors.away_and_cover(scene.lead, scene.today).to_decide == [absence]
    assert selectors.away_and_cover(scene.sam, scene.today).count == 1
    assert Absence.objects.count() == 1
