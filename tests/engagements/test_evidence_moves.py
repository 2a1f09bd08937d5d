"""Every move of sign-offs, Work at Risk and changes: who may, and where it leads."""

import pytest
from django.core.exceptions import PermissionDenied

from engagements import services
from engagements.models import ChangeRequest
from engagements.workflows import CHANGE, RISK, SIGN_OFF
from events.models import Event
from events.services import acting_token
from events.workflow import Blocked
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db
LEADS = {"lead", "second_lead"}
KEEL = {"keel"}
EVERYBODY = ("filer", "colleague", "stranger", "engineer", "other_engineer", "lead",
             "second_lead", "leadership", "administrator", "keel")  # fmt: skip


def said(stage):
    """What the filer heard from the customer, and nobody has confirmed yet."""
    stage.at("awaiting_signoff")
    return stage.signed(stage.request.sows.get(), way="verbal", state="recorded")


def risk(stage):
    """What a lead asked for."""
    stage.at("awaiting_signoff")
    return stage.risk("asked")


def change(stage):
    """What the filer proposes: it takes an approval."""
    stage.at("triaged")
    return ChangeRequest.objects.create(
        request=stage.request,
        kind="larger",
        before=stage.request.sows.get(),
        after=stage.edited(),
        reason="One more plant.",
        by=stage.filer,
        at=stage.now,
    )


def approved(stage):
    found = change(stage)
    services.move(found, "approve", by=stage.lead, at=stage.now)
    return found


# Table, move: what it is made on, where it leads, who may, what it is given.
MOVES = {
    ("sign_off", "confirm"): (said, "agreed", {"colleague", *LEADS}, {}),
    ("sign_off", "agree"): (said, "agreed", KEEL, {}),
    ("sign_off", "reject"): (said, "rejected", KEEL, {}),
    ("sign_off", "object"): (said, "objected", KEEL, {"objection": "I did not say that."}),
    ("sign_off", "withdraw"): (said, "withdrawn", {"filer", "colleague", *LEADS}, {}),
    ("work_at_risk", "approve"): (risk, "approved", {"leadership"}, {}),
    ("work_at_risk", "refuse"): (risk, "refused", {"leadership"}, {}),
    ("work_at_risk", "withdraw"): (risk, "withdrawn", {"leadership", *LEADS}, {}),
    ("work_at_risk", "end"): (risk, "ended", KEEL, {"code": "expired"}),
    ("change", "approve"): (change, "approved", LEADS, {}),
    ("change", "refuse"): (change, "refused", LEADS, {}),
    ("change", "withdraw"): (change, "withdrawn", {"filer", "colleague", *LEADS}, {}),
    ("change", "agree"): (change, "agreed", KEEL, {}),
    ("change", "reopen"): (approved, "proposed", KEEL, {}),
    ("change", "replace"): (change, "withdrawn", KEEL, {}),
}
# A verbal agreement needs a second person, which Keel is not.
NOT_OF_WHAT_WAS_SAID = {("sign_off", "agree")}


@pytest.fixture
def stage():
    return Stage()


def actor(stage, name):
    return system_user() if name == "keel" else getattr(stage, name)


def test_every_move_of_the_tables_is_told_here():
    listed = {(table.name, each.id) for table in (SIGN_OFF, RISK, CHANGE)
              for each in table.transitions}  # fmt: skip
    assert listed == set(MOVES)


@pytest.mark.parametrize("key", MOVES, ids="-".join)
def test_who_may_make_a_move(stage, key):
    made, target, allowed, values = MOVES[key]
    thing = made(stage)
    was = thing.state
    for who in [each for each in EVERYBODY if each not in allowed]:
        with pytest.raises(PermissionDenied) as refusal:
            services.move(thing, key[1], by=actor(stage, who), at=stage.now, given=given(**values))
        assert str(refusal.value), who
        thing.refresh_from_db()
        assert thing.state == was, who
    if key in NOT_OF_WHAT_WAS_SAID:
        return
    for who in sorted(allowed)[:1]:
        services.move(thing, key[1], by=actor(stage, who), at=stage.now, given=given(**values))
        assert thing.state == target
        assert Event.objects.filter(object_id=thing.uuid, before__state=was).exists()


@pytest.mark.parametrize("key", [("sign_off", "confirm"), ("sign_off", "withdraw"),
                                 ("work_at_risk", "approve")], ids="-".join)  # fmt: skip
def test_no_token_makes_a_move_that_stands_for_a_signature(stage, key):
    made, _, allowed, values = MOVES[key]
    thing = made(stage)
    token = acting_token.set("abc123")
    try:
        for who in allowed:
            with pytest.raises(PermissionDenied):
                services.move(
                    thing, key[1], by=actor(stage, who), at=stage.now, given=given(**values)
                )
    finally:
        acting_token.reset(token)


def test_what_the_customer_gave_by_link_only_the_customer_takes_back(stage):
    stage.at("signed_off")
    with pytest.raises(Blocked, match="Only the customer"):
        services.move(
            stage.request.sign_offs.get(), "withdraw", by=stage.filer, at=stage.now, given=given()
        )


def test_a_lead_who_proposed_a_change_does_not_approve_it(stage):
    proposed = change(stage)
    both = factories.UserFactory(roles=["tam", "de_lead"])
    ChangeRequest.objects.filter(pk=proposed.pk).update(by=both)
    proposed.refresh_from_db()
    with pytest.raises(PermissionDenied):
        services.move(proposed, "approve", by=both, at=stage.now)
