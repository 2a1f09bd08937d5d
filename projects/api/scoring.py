"""Scores of projects, silent votes on them, and places given by hand."""

import uuid
from http import HTTPStatus
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import today
from config.lib import etags, fields, parameters
from config.lib.errors import Invalid, Missing
from config.lib.parameters import ETAG, IF_MATCH_MAYBE
from people.http import user_of
from people.models import Scope, User
from people.writing import Keyed
from projects import selectors
from projects.api import score_rows as rows
from projects.api.keeping import project_of
from projects.models import Project
from projects.rules import scoring as rules
from projects.selectors.scoring import history_of, override_of, policy_on, poll_of
from projects.services import voting
from projects.services.overriding import end_by_hand, move_by_hand
from projects.services.scoring import score_project

NO_STORE = {"Cache-Control": "no-store"}
ANSWERS = ("impact", "effort", "days", "confidence")


class _OfProject(APIView):
    """Something that belongs to one project, which the reader may know of."""

    scope = Scope.PROJECT_READ
    write_scope = Scope.PROJECT_WRITE
    for_limited_tokens = True

    def project(self, project_id: uuid.UUID) -> Project:
        parameters.check(self.request, ())
        return project_of(user_of(self.request), project_id)


class ScoreView(Keyed, _OfProject):
    """Impact, effort and the score that follows."""

    noun = "score"
    serializer_class = rows.ScoreRow

    @extend_schema(summary="Get a score and its history", parameters=[ETAG])
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        return _told_score(self.project(project_id), user_of(request))

    @extend_schema(
        request=rows.ScoreBody,
        responses=rows.ScoreRow,
        parameters=[IF_MATCH_MAYBE, ETAG],
        summary="Score a project",
    )
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        """DE leads do. With If-Match only from the version of the project that you read."""
        project = self.project(project_id)
        version = etags.version_asked(request, project)
        sent = _valid(rows.ScoreBody, request)
        if not sent.keys() & set(ANSWERS):
            raise Invalid(f"Send one of: {', '.join(ANSWERS)}.", code="required")
        stored = {name: getattr(project, name) for name in ANSWERS}
        values = {**stored, **{name: sent[name] for name in ANSWERS if name in sent}}
        score_project(
            project,
            impact=values["impact"],
            effort=values["effort"] or "",
            days=values["days"],
            confidence=values["confidence"] or "",
            reason=sent.get("reason", ""),
            by=user_of(request),
            at=timezone.now(),
            version=version,
        )
        return _told_score(project, user_of(request))


class VotesView(Keyed, _OfProject):
    """Silent votes: nobody sees the others' before a DE lead closes the round."""

    noun = "vote"
    serializer_class = rows.PollRow

    @extend_schema(summary="Get the newest round of votes")
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        return _told_poll(self.project(project_id), user_of(request))

    @extend_schema(request=rows.VoteBody, responses=rows.PollRow, summary="Vote")
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        """Give your vote, or change it while the round is open."""
        project = self.project(project_id)
        sent = _valid(rows.VoteBody, request)
        round_ = _round(project, user_of(request))
        voting.vote(round_, **sent, by=user_of(request), at=timezone.now())
        return _told_poll(project, user_of(request))


class VoteRoundView(Keyed, _OfProject):
    """Rounds of votes."""

    noun = "round of votes"
    serializer_class = rows.PollRow

    @extend_schema(
        request=rows.RoundBody, responses=rows.PollRow, summary="Open or close a round of votes"
    )
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        """DE leads do. Once closed everybody sees the spread; nothing is scored by it."""
        project, by = self.project(project_id), user_of(request)
        if _valid(rows.RoundBody, request)["is_open"]:
            voting.open_vote(project, by=by, at=timezone.now())
        else:
            voting.close_vote(_round(project, by), by=by, at=timezone.now())
        return _told_poll(project, by)


class OverrideView(Keyed, _OfProject):
    """A place in the ranked list by hand."""

    noun = "place by hand"
    serializer_class = rows.OverrideRow

    @extend_schema(
        request=rows.OverrideBody, responses={201: rows.OverrideRow}, summary="Move by hand"
    )
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        """DE leads do, with a reason and for 90 days at most. A former place ends with it."""
        project, user = self.project(project_id), user_of(request)
        sent = _valid(rows.OverrideBody, request)
        before = sent["before"]
        override = move_by_hand(
            project,
            before=project_of(user, before) if before else None,
            reason=sent["reason"],
            expires_on=sent["expires_on"],
            by=user,
            at=timezone.now(),
        )
        told = rows.told_override(override, override.before)
        return Response(told, status=HTTPStatus.CREATED)

    @extend_schema(responses={204: None}, summary="End a place by hand")
    def delete(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        """Let the project stand where its score puts it again."""
        end_by_hand(self.project(project_id), by=user_of(request), at=timezone.now())
        return Response(status=HTTPStatus.NO_CONTENT)


def _told_score(project: Project, user: User) -> HttpResponseBase:
    on = today(timezone.now())
    history = history_of(project)
    policy = policy_on(on)
    override = override_of(project, on=on)
    before = override.before if override else None
    if before and not selectors.projects_visible_to(user).filter(pk=before.pk).exists():
        before = None
    told = {
        "project": str(project.uuid),
        "number": project.number,
        "version": project.version,
        **rows.told_answer(project),
        "arithmetic": rows.told_arithmetic(
            rules.arithmetic(policy, project.impact, project.effort)
        ),
        "policy": rows.told_policy(policy),
        "override": rows.told_override(override, before),
        "history": [rows.told_entry(entry) for entry in history],
    }
    etag = etags.etag_of(project.uuid, project.version)
    return Response(told, headers={"ETag": etag, **NO_STORE})


def _told_poll(project: Project, user: User) -> HttpResponseBase:
    return Response(rows.told_poll(poll_of(project, to=user)), headers=NO_STORE)


def _round(project: Project, user: User) -> Any:
    poll = poll_of(project, to=user)
    if poll is None:
        raise Missing(f"There is no vote on {project.number}.")
    return poll.round


def _valid(body: type[fields.StrictSerializer], request: Request) -> dict[str, Any]:
    form = body(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
