"""Rows and bodies of support plans, artefacts and outcome checks."""

from typing import Any

from rest_framework import serializers

from config.lib import fields
from config.lib.rows import RowSerializer
from config.lib.values import NAME_MAX
from engagements.models import MaintenanceOwner
from engagements.rules.links import LINK_MAX
from people.rows import WriterRow
from projects.models import ProjectCheck, SupportPlan
from projects.selectors.support import Side
from projects.services import outcomes


class SupportAnswerRow(RowSerializer):
    """A side's newest answer to the plan as it stands."""

    agrees = fields.BooleanField()
    note = fields.LinesField()
    digest = fields.PlainField()
    by = WriterRow()
    at = fields.DateTimeField()


class SupportSideRow(serializers.Serializer[Any]):
    """One of the three sides. Where it has not agreed, `waits_for` are those who could."""

    side = fields.ChoiceField(Side.values)
    answer = SupportAnswerRow(allow_null=True)
    waits_for = WriterRow(many=True)


class SupportPlanRow(serializers.Serializer[Any]):
    """What is signed is the plan with what is in scope; `digest` is the hash of it.

    `mode` and all after it are null where no plan is written. `is_signed` says that all three
    sides agreed to this very digest, each by another person.
    """

    project = fields.UuidField()
    number = fields.PlainField()
    is_needed = fields.BooleanField()
    is_signed = fields.BooleanField()
    mode = fields.ChoiceField(SupportPlan.Mode.values, allow_null=True)
    maintained_by = fields.ChoiceField(MaintenanceOwner.values, allow_null=True)
    depends_on_server_version = fields.BooleanField(allow_null=True)
    text = fields.LinesField(allow_null=True)
    digest = fields.PlainField(allow_null=True)
    is_official = fields.BooleanField(allow_null=True)
    written_by = WriterRow(allow_null=True)
    written_at = fields.DateTimeField(allow_null=True)
    version = fields.IntegerField(allow_null=True)
    sides = SupportSideRow(many=True)


class ArtefactRow(RowSerializer):
    """Something that stays, of a request or of a project; the other of the two is null.

    `maintained_by` null: nobody. `is_orphan`: nobody maintains it, or who knew it has left.
    """

    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    url = fields.PlainField()
    request = fields.UuidField(source="request.uuid", allow_null=True)
    project = fields.UuidField(source="project.uuid", allow_null=True)
    maintained_by = fields.ChoiceField(MaintenanceOwner.values, allow_null=True)
    keeper = WriterRow(allow_null=True)
    depends_on_server_version = fields.BooleanField()
    review_on = fields.DateField(allow_null=True)
    retired_on = fields.DateField(allow_null=True)
    is_orphan = fields.BooleanField()
    changed_at = fields.DateTimeField(source="at")


class CareBody(fields.StrictSerializer):
    """Who looks after it. What is not sent stays; `maintained_by` null is nobody."""

    maintained_by = fields.ChoiceField(MaintenanceOwner.values, required=False, allow_null=True)
    keeper = fields.PersonField(required=False, allow_null=True)
    depends_on_server_version = fields.BooleanField(required=False)
    review_on = fields.DateField(required=False, allow_null=True)
    retired_on = fields.DateField(required=False, allow_null=True)


class ArtefactBody(CareBody):
    """Something that a project leaves behind."""

    project = fields.UuidField()
    name = fields.NameField(max_length=NAME_MAX)
    url = fields.TextField(max_length=LINK_MAX, blank=True, required=False)


class CheckRow(RowSerializer):
    """A look at the outcome. Its verdict is worked out; null: not looked, or not to be told."""

    id = fields.UuidField(source="uuid")
    days = fields.IntegerField()
    due_on = fields.DateField()
    seats_promised = fields.IntegerField(allow_null=True)
    seats_before = fields.IntegerField(allow_null=True)
    seats_found = fields.IntegerField(allow_null=True)
    seats_realised = fields.IntegerField(source="realised", allow_null=True)
    verdict = fields.ChoiceField(ProjectCheck.Verdict.values, allow_null=True)
    note = fields.LinesField()
    done_by = WriterRow(allow_null=True)
    done_at = fields.DateTimeField(allow_null=True)


class CheckBody(fields.StrictSerializer):
    """How many seats are deployed now at all its accounts, null where nobody knows, and why.

    The note is needed where the number is not the one that the accounts have, or there is none.
    """

    seats_found = fields.SeatsField(allow_null=True)
    note = fields.LinesField(max_length=outcomes.NOTE_MAX, blank=True, required=False)
