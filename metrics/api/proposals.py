"""Proposals of definitions: read, drafted, changed, moved, and back-tested."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, fields, filters, values
from config.lib.bodies import WriteBody, checked
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE, LOCATION
from config.lib.rows import RowSerializer
from config.lib.values import BadValue, echo
from config.lib.views import ReadViewSet
from engagements import move_bodies
from metrics.models import Backtest, DefinitionProposal, MetricDefinition, MetricRun
from metrics.selectors import lab, lab_results, numbers, runs
from metrics.services import backtests, proposals
from people.http import user_of
from people.models import Scope
from people.rows import WriterRow
from people.writing import Keyed

ID = "id"
FAR = 32_767
OWN = frozenset(proposals.STORED)


@extend_schema_field({"type": "object", "additionalProperties": True})
class PolicyField(fields.StrictField):
    """Parameters by name: only those that the metric has; what is left out stays as it is."""

    is_text = True

    def parse(self, data: Any) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            raise BadValue("not_an_object", "Write an object of parameters.")
        return data


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": FAR})
class FromVersionField(fields.StrictField):
    """A version of a definition."""

    def parse(self, data: Any) -> int:
        return values.parse_integer(data, low=1, high=FAR)


class ProposalBaseRow(RowSerializer):
    """The version it starts from, or became."""

    metric = fields.PlainField(source="slug")
    version = fields.IntegerField(source="number")
    valid_from = fields.DateField()


class ProposalRow(RowSerializer):
    """A definition as somebody would have it. Another `metric` than that of `base` makes a second
    number beside it."""

    id = fields.UuidField(source="uuid")
    number = fields.PlainField(source="shown_number")
    state = fields.ChoiceField(DefinitionProposal.State.values)
    base = ProposalBaseRow()
    metric = fields.PlainField(source="slug")
    title = fields.NameField()
    text = fields.LinesField(max_length=proposals.TEXT_MAX)
    policy = PolicyField()
    owner = fields.NameField()
    effective_on = fields.DateField()
    why = fields.LinesField()
    made = ProposalBaseRow(allow_null=True)
    proposed_by = WriterRow()
    proposed_at = fields.DateTimeField(allow_null=True)
    decided_by = WriterRow(allow_null=True)
    decided_at = fields.DateTimeField(allow_null=True)
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class ProposalBody(WriteBody):
    # What it starts from never changes: begin another one.
    row = ProposalRow
    metric = fields.NameField(max_length=proposals.SLUG_MAX, required=False)
    title = fields.NameField(max_length=proposals.TITLE_MAX, required=False)
    text = fields.LinesField(max_length=proposals.TEXT_MAX, required=False)
    policy = PolicyField(required=False)
    owner = fields.NameField(max_length=proposals.TITLE_MAX, required=False)
    effective_on = fields.DateField(required=False)
    why = fields.LinesField(max_length=proposals.WHY_MAX, blank=True, required=False)


class ProposalCreate(ProposalBody):
    row = ProposalRow
    from_metric = fields.NameField(max_length=proposals.SLUG_MAX)
    from_version = FromVersionField(required=False)


class BacktestBody(fields.StrictSerializer):
    """The days to compute; left out, the whole ledger."""

    first_day = fields.DateField(required=False)
    last_day = fields.DateField(required=False)


class BacktestDay(move_bodies.Told):
    """A day under both, in the unit of the number; null where it has none."""

    as_of = fields.DateField()
    published = fields.RatioField(allow_null=True)
    definition_version = fields.IntegerField(allow_null=True)
    proposed = fields.RatioField(allow_null=True)


class BacktestFlips(move_bodies.Told):
    """How many accounts change on the newest day: side, or what they add to a sum."""

    up = fields.IntegerField()
    down = fields.IntegerField()
    left = fields.IntegerField()
    entered = fields.IntegerField()


class BacktestAnswer(move_bodies.Told):
    """How far it is, and what it came to. `fits`: the rules were not changed since."""

    progress = fields.ChoiceField(Backtest.Progress.values)
    first_day = fields.DateField()
    last_day = fields.DateField()
    done_to = fields.DateField(allow_null=True)
    error = fields.PlainField()
    fits = fields.BooleanField()
    asked_at = fields.DateTimeField()
    finished_at = fields.DateTimeField(allow_null=True)
    newest_day = fields.DateField(allow_null=True)
    flips = BacktestFlips(allow_null=True)
    days = BacktestDay(many=True)


class ProposalTransitionOption(move_bodies.Told):
    """A move from the state it has. It is possible where it is `allowed` and nothing blocks."""

    id = fields.PlainField()
    label = fields.PlainField()
    leads_to = serializers.ListField(child=fields.ChoiceField(DefinitionProposal.State.values))
    allowed = fields.BooleanField()
    who_may = fields.PlainField()
    blocked = move_bodies.MoveBlock(many=True)
    can_ask = fields.BooleanField()
    needs_reason = fields.BooleanField()
    warns = fields.PlainField()
    fields = move_bodies.MoveField(many=True)


class ProposalTransitionOptions(move_bodies.Told):
    """What may happen next, what is blocked, and why."""

    state = fields.ChoiceField(DefinitionProposal.State.values)
    version = fields.IntegerField()
    transitions = ProposalTransitionOption(many=True)


class DefinitionProposalViewSet(Keyed, ReadViewSet):
    """Proposals of definitions. The metric owner drafts, back-tests and proposes them; leadership
    decides, nobody on their own, and never by a token."""

    noun = "definition proposal"
    scope, write_scope = Scope.METRICS_READ, Scope.METRICS_WRITE
    serializer_class = ProposalRow
    # Names of people change without it.
    answers_304 = False
    filterset_class = filters.filter_set(
        "DefinitionProposalFilters",
        filters.word("metric", path="slug"),
        filters.word("state", choices=DefinitionProposal.State.values),
        filters.day("effective_on"),
        filters.moment("created_at"),
        filters.moment("updated_at"),
    )
    ordering = {"number": "id", "effective_on": "effective_on", "updated_at": "updated_at"}
    order_by = ("-id",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[DefinitionProposal]:
        return lab.numbered(lab.proposals_visible_to(user_of(self.request)))

    def create(self, request: Request) -> HttpResponseBase:
        """Begin a draft from a version, the newest one unless `from_version` says another."""
        sent = checked(ProposalCreate, request.data)
        base = _base(sent.pop("from_metric"), sent.pop("from_version", None))
        with _named_as_sent():
            made = proposals.create_proposal(
                base, _stored(sent), by=user_of(request), at=timezone.now()
            )
        return self._told(made, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change a draft. If-Match says from which version."""
        one = self._one(found)
        etags.require_match(request, etags.etag_of(one.uuid, one.version))
        sent = _stored(checked(ProposalBody, request.data))
        by, at = user_of(request), timezone.now()
        with _named_as_sent():
            changed = proposals.change_proposal(one, sent, version=one.version, by=by, at=at)
        return self._told(changed)

    @extend_schema(responses=ProposalTransitionOptions, summary="List what may happen next")
    @action(detail=True)
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Every move from its state: for whom it is, what blocks it, what it asks for."""
        one = self._one(found)
        offered = proposals.options(one, user_of(request), at=timezone.now())
        return move_bodies.options_told(one, offered)

    @extend_schema(
        request={"application/json": move_bodies.MOVE_BODY},
        responses={200: ProposalRow},
        summary="Propose, revise, withdraw or decide",
    )
    @transitions.mapping.post
    def make_move(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """`approve` and `reject` are refused to tokens: who decides is signed in."""
        one = self._one(found)
        name, given = move_bodies.move_asked(request, one)
        proposals.move(one, name, by=user_of(request), at=timezone.now(), given=given)
        return self._told(one)

    @extend_schema(responses=BacktestAnswer, summary="Get the newest back-test")
    @action(detail=True)
    def backtest(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Each day of the ledger as published and as proposed."""
        return _told_test(self._one(found))

    @extend_schema(request=BacktestBody, responses={202: BacktestAnswer}, summary="Run a back-test")
    @backtest.mapping.post
    def run_backtest(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """One that failed or was stopped goes on where it stood. Ask with GET how far it is."""
        one = self._one(found)
        body = BacktestBody(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        backtests.start_backtest(
            one,
            sent.get("first_day"),
            sent.get("last_day"),
            by=user_of(request),
            at=timezone.now(),
        )
        return _told_test(one, HTTPStatus.ACCEPTED)

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        return {"create": ProposalCreate, "partial_update": ProposalBody}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "partial_update":
                return (IF_MATCH, ETAG)
            case "make_move":
                return (IF_MATCH_MAYBE, ETAG)
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: self.serializer_class} if self.action == "create" else None

    def _one(self, found: Mapping[str, uuid.UUID]) -> DefinitionProposal:
        visible = lab.proposals_visible_to(user_of(self.request))
        one = visible.filter(uuid=found[ID]).first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one

    def _told(self, proposal: DefinitionProposal, status: int = HTTPStatus.OK) -> HttpResponseBase:
        told, etag = self.answer_about(proposal.uuid)
        headers = {"ETag": etag}
        if status == HTTPStatus.CREATED:
            address = reverse("api:definition-proposals-detail", kwargs={ID: proposal.uuid})
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(told, status=status, headers=headers)


def _base(metric: str, version: int | None) -> MetricDefinition:
    found = runs.definitions().filter(slug=metric)
    if version is not None:
        found = found.filter(number=version)
    base = found.first()
    if base is None:
        which = f"version {version} of “{echo(metric)}”" if version else f"metric “{echo(metric)}”"
        raise Missing(f"There is no {which}.")
    return base


def _stored(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent by the names of the columns."""
    return {"slug" if name == "metric" else name: value for name, value in sent.items()}


@contextmanager
def _named_as_sent() -> Iterator[None]:
    """Name what is wrong as the body does: a parameter is in `policy`."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        told = {_as_sent(name): wrong for name, wrong in error.error_dict.items()}
        raise ValidationError(told) from error


def _as_sent(name: str) -> str:
    if name == "slug":
        return "metric"
    return name if name in OWN else f"policy.{name}"


def _told_test(proposal: DefinitionProposal, status: int = HTTPStatus.OK) -> HttpResponseBase:
    test = lab.newest_test(proposal)
    if test is None:
        raise Missing(f"{proposal.number} was not back-tested yet.", code="no_backtest")
    result = lab_results.result_of(test)
    newest = result.newest
    flips = lab_results.flips(newest) if newest else None
    told = {
        "progress": test.progress,
        "first_day": test.first_day.isoformat(),
        "last_day": test.last_day.isoformat(),
        "done_to": test.done_to.isoformat() if test.done_to else None,
        "error": test.error,
        "fits": test.digest == lab.digest_of(proposal),
        "asked_at": values.moment_text(test.asked_at),
        "finished_at": values.moment_text(test.finished_at) if test.finished_at else None,
        "newest_day": newest.day.isoformat() if newest else None,
        "flips": None
        if flips is None
        else {"up": flips.up, "down": flips.down, "left": flips.left, "entered": flips.entered},
        "days": [
            {
                "as_of": pair.day.isoformat(),
                "published": _value(pair.old),
                "definition_version": pair.old.definition.number if pair.old else None,
                "proposed": _value(pair.new),
            }
            for pair in result.pairs
        ],
    }
    return Response(told, status=status)


def _value(run: MetricRun | None) -> str | None:
    """Return the number of a day in its unit; null where there is none."""
    return numbers.exact_text(numbers.value_of(run), run.definition.unit) if run else None
