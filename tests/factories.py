import datetime as dt
import hashlib
import secrets
import uuid
from decimal import Decimal

import factory
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import (
    Account,
    Assignment,
    Contact,
    ExchangeRate,
    Import,
    ImportChunk,
    ImportRow,
    Instance,
    SeatReading,
    Subscription,
    Tier,
)
from engagements.models import (
    Artefact,
    Attachment,
    AttachmentChunk,
    ChangeRequest,
    Comment,
    ServiceRequest,
    SignOff,
    SignOffLink,
    SowVersion,
    WorkAtRisk,
)
from engagements.rules import receipts
from engagements.rules import sow as sow_rules
from events import workflow
from metrics.models import Alert, AlertRule, DefinitionProposal, MetricDefinition, MetricRun
from people.models import Absence, ApiToken, SavedView, Scope, User
from projects.models import (
    Allocation,
    Increment,
    Membership,
    Project,
    ProjectAccount,
    ProjectArtefact,
    ProjectCheck,
    Review,
    ReviewItem,
    Stakeholder,
    SupportPlan,
    Team,
)
from projects.services import lanes

PASSWORD = "a-long-enough-password"
FILE = b"Plain text."


def sow_content():
    return {
        "title": "SAML for the plants",
        "deliverables": [
            {
                "key": "d1",
                "what": "SAML sign-in for plant accounts",
                "detail": "Tested with 20 accounts.",
                "by_whom": "Sam Eriksen",
                "by_when": "2026-12-04",
            }
        ],
        "needs": ["A test realm"],
        "in_scope": ["The three plants"],
        "out_of_scope": ["Other identity providers"],
        "acceptance": ["20 accounts sign in"],
        "assumptions": ["The realm exists"],
        "customer_owner": "Mikkel Dahl",
        "timeframe": {"start": "2026-11-23", "end": "2026-12-04"},
        "maintenance": {"owner": "customer", "depends_on_server_version": False, "text": ""},
        "deemed_acceptance_days": None,
        "amount": "0.00",
        "currency": "USD",
    }


class UserFactory(DjangoModelFactory):
    """A person; `roles=[Role.TAM]` puts them in groups."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@keel.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def roles(self, create, extracted, **kwargs):
        if create and extracted:
            self.groups.set([Group.objects.get_or_create(name=role)[0] for role in extracted])


class ApiTokenFactory(DjangoModelFactory):
    """A token's row; nobody knows its secret. For one that signs in see `api_client`."""

    class Meta:
        model = ApiToken

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Token {n}")
    key = factory.LazyFunction(lambda: secrets.token_hex(6))
    pepper_id = "1"
    digest = factory.LazyFunction(lambda: secrets.token_bytes(32))
    scopes = [Scope.ACCOUNT_READ]
    expires_at = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


class SavedViewFactory(DjangoModelFactory):
    """A personal view of the accounts list, of those in EMEA."""

    class Meta:
        model = SavedView

    owner = factory.SubFactory(UserFactory)
    page = SavedView.Page.ACCOUNTS
    name = factory.Sequence(lambda n: f"View {n}")
    query = "region=EMEA"
    columns = factory.LazyFunction(list)


class AccountFactory(DjangoModelFactory):
    """A customer in USD; `external_id` counts up in the source `import`."""

    class Meta:
        model = Account

    source = "import"
    external_id = factory.Sequence(lambda n: f"A-{n}")
    name = factory.Sequence(lambda n: f"Account {n}")
    status = Account.Status.CUSTOMER
    region = "EMEA"
    currency = "USD"


class SubscriptionFactory(DjangoModelFactory):
    """A paid contract of 100 seats and 60,000 a year, from 2025 on without an end."""

    class Meta:
        model = Subscription

    source = "import"
    external_id = factory.Sequence(lambda n: f"S-{n}")
    account = factory.SubFactory(AccountFactory)
    product = "Enterprise"
    kind = Subscription.Kind.PAID
    seats = 100
    arr = Decimal(60_000)
    currency = "USD"
    start = dt.date(2025, 1, 1)


class InstanceFactory(DjangoModelFactory):
    class Meta:
        model = Instance

    source = "import"
    external_id = factory.Sequence(lambda n: f"I-{n}")
    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Instance {n}")


class SeatReadingFactory(DjangoModelFactory):
    """A reading; the month it belongs to is made first."""

    class Meta:
        model = SeatReading

    instance = factory.SubFactory(InstanceFactory)
    observed_at = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)
    source = "import"
    seats = 80

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with connection.cursor() as cursor:
            day = kwargs["observed_at"].astimezone(dt.UTC).date()
            cursor.execute("SELECT keel_make_reading_month(%s)", [day])
        return super()._create(model_class, *args, **kwargs)


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = Contact

    source = "import"
    external_id = factory.Sequence(lambda n: f"C-{n}")
    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Contact {n}")
    email = factory.Sequence(lambda n: f"contact{n}@customer.example")
    roles = factory.LazyFunction(list)


class AssignmentFactory(DjangoModelFactory):
    """The primary TAM of an account, from 2025 on without an end."""

    class Meta:
        model = Assignment

    account = factory.SubFactory(AccountFactory)
    user = factory.SubFactory(UserFactory)
    role = Assignment.Role.TAM
    primary = True
    start = dt.date(2025, 1, 1)


class TierFactory(DjangoModelFactory):
    class Meta:
        model = Tier

    name = factory.Sequence(lambda n: f"Tier {n}")
    arr_from = factory.Sequence(Decimal)
    start = dt.date(2020, 1, 1)


class ExchangeRateFactory(DjangoModelFactory):
    class Meta:
        model = ExchangeRate

    currency = "EUR"
    on = factory.Sequence(lambda n: dt.date(2025, 1, 1) + dt.timedelta(days=n))
    rate = Decimal("1.1")


class ImportFactory(DjangoModelFactory):
    """A checked file of two accounts, one of them new, by a metric owner; without its bytes."""

    class Meta:
        model = Import

    kind = Import.Kind.ACCOUNTS
    source = "crm"
    filename = factory.Sequence(lambda n: f"accounts-{n}.csv")
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    size = 2_048
    status = Import.Status.CHECKED
    rows = 2
    creates = 1
    updates = 1
    plan_hash = "p" * 64
    by = factory.SubFactory(UserFactory, roles=["metric_owner"])


class ImportChunkFactory(DjangoModelFactory):
    """The bytes of an import's file."""

    class Meta:
        model = ImportChunk

    file = factory.SubFactory(ImportFactory)
    place = 0
    content = b"external_id,name\nA-1,Alder\nA-2,Birch\n"


class ImportRowFactory(DjangoModelFactory):
    """A row that would change the name of an account."""

    class Meta:
        model = ImportRow

    file = factory.SubFactory(ImportFactory)
    row = factory.Sequence(lambda n: n + 2)
    outcome = ImportRow.Outcome.UPDATE
    label = factory.Sequence(lambda n: f"Row {n}")
    changes = factory.LazyFunction(lambda: [["name", "Halden", "Halden Aerospace"]])


class ServiceRequestFactory(DjangoModelFactory):
    """A draft with every answer; `state="triaged"` puts it there without a move."""

    class Meta:
        model = ServiceRequest
        skip_postgeneration_save = True

    filed_by = factory.SubFactory(UserFactory, roles=["tam"])
    account = factory.SubFactory(AccountFactory)
    title = factory.Sequence(lambda n: f"SAML for plant {n}")
    type = "one_off"
    standard_environment = False
    inside_product = False
    licence_matter = False
    critical = False
    over_one_day = True
    escalated = False
    problem = "Plant staff have no mailbox."
    outcome = "They sign in with SAML."
    if_not = "They drop 400 seats."
    time_reason = "The renewal."
    seats_low, seats_likely, seats_high = 100, 200, 400

    @classmethod
    def _create(cls, model_class, *args, state="draft", **kwargs):
        request = super()._create(model_class, *args, **kwargs)
        request.refresh_from_db()
        if state != "draft":
            workflow.place(request, state)
        return request


class SowVersionFactory(DjangoModelFactory):
    """A draft with one deliverable; `frozen_at=` and a digest make it one that was sent."""

    class Meta:
        model = SowVersion

    request = factory.SubFactory(ServiceRequestFactory)
    number = 1
    by = factory.SelfAttribute("request.filed_by")
    content = factory.LazyFunction(sow_content)
    keys_used = factory.LazyAttribute(lambda o: sow_rules.keys_used(o.content))
    digest = factory.LazyAttribute(
        lambda o: sow_rules.digest_of(
            o.content, request=o.request.number, account=str(o.request.account)
        )
    )


class ChangeRequestFactory(DjangoModelFactory):
    """A change of wording, proposed by who filed the request."""

    class Meta:
        model = ChangeRequest

    request = factory.SubFactory(ServiceRequestFactory, state="triaged")
    kind = "wording"
    before = factory.SubFactory(
        SowVersionFactory, request=factory.SelfAttribute("..request"), frozen_at=timezone.now()
    )
    after = factory.SubFactory(
        SowVersionFactory, request=factory.SelfAttribute("..request"), number=2
    )
    reason = "One more plant."
    by = factory.SelfAttribute("request.filed_by")
    at = factory.LazyFunction(timezone.now)


class WorkAtRiskFactory(DjangoModelFactory):
    class Meta:
        model = WorkAtRisk
        skip_postgeneration_save = True

    request = factory.SubFactory(ServiceRequestFactory)
    reason = "The freeze starts on Monday."
    exposure = "Three days of work."
    exposure_days = "3.0"
    expires_on = factory.LazyFunction(lambda: timezone.now().date() + dt.timedelta(days=7))
    asked_by = factory.SubFactory(UserFactory, roles=["de_lead"])
    asked_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, state="asked", **kwargs):
        risk = super()._create(model_class, *args, **kwargs)
        if state != "asked":
            workflow.place(risk, state)
        return risk


class CommentFactory(DjangoModelFactory):
    class Meta:
        model = Comment

    request = factory.SubFactory(ServiceRequestFactory, state="triaged")
    by = factory.SelfAttribute("request.filed_by")
    at = factory.LazyFunction(timezone.now)
    text = factory.Sequence(lambda n: f"Comment {n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        comment = super()._create(model_class, *args, **kwargs)
        comment.refresh_from_db()
        return comment


class AttachmentFactory(DjangoModelFactory):
    """A file of a few bytes, which are there."""

    class Meta:
        model = Attachment
        skip_postgeneration_save = True

    request = factory.SubFactory(ServiceRequestFactory, state="triaged")
    by = factory.SelfAttribute("request.filed_by")
    at = factory.LazyFunction(timezone.now)
    name = "notes.txt"
    content_type = "text/plain"
    size = len(FILE)
    sha256 = hashlib.sha256(FILE).hexdigest()

    @factory.post_generation
    def chunks(self, create, extracted, **kwargs):
        AttachmentChunk.objects.create(attachment=self, place=0, content=FILE)
        self.refresh_from_db()


class ArtefactFactory(DjangoModelFactory):
    class Meta:
        model = Artefact

    request = factory.SubFactory(ServiceRequestFactory, state="in_progress")
    name = "Sync script"
    by = factory.SelfAttribute("request.filed_by")
    at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        artefact = super()._create(model_class, *args, **kwargs)
        artefact.refresh_from_db()
        return artefact


class SignOffFactory(DjangoModelFactory):
    """What a customer said, waiting for a second person; `state="agreed"` puts it there."""

    class Meta:
        model = SignOff
        skip_postgeneration_save = True

    request = factory.SelfAttribute("sow.request")
    purpose = SignOff.Purpose.SOW
    sow = factory.SubFactory(SowVersionFactory, frozen_at=factory.LazyFunction(timezone.now))
    digest = factory.SelfAttribute("sow.digest")
    way = SignOff.Way.VERBAL
    party_name = "Kari Solberg"
    note = "Yes to all three plants."
    answered_at = factory.LazyFunction(timezone.now)
    recorded_by = factory.SelfAttribute("request.filed_by")
    recorded_at = factory.LazyFunction(timezone.now)
    receipt = factory.LazyFunction(receipts.new_receipt)

    @classmethod
    def _create(cls, model_class, *args, state="recorded", **kwargs):
        sign_off = super()._create(model_class, *args, **kwargs)
        sign_off.refresh_from_db()
        if state != "recorded":
            workflow.place(sign_off, state)
        return sign_off


class SignOffLinkFactory(DjangoModelFactory):
    """A link's row; nobody knows its token. For one that opens see `links.send_link`."""

    class Meta:
        model = SignOffLink

    request = factory.SelfAttribute("sow.request")
    purpose = SignOffLink.Purpose.SOW
    sow = factory.SubFactory(SowVersionFactory, frozen_at=factory.LazyFunction(timezone.now))
    contact = factory.SubFactory(ContactFactory, account=factory.SelfAttribute("..request.account"))
    sent_to = factory.SelfAttribute("contact.email")
    pepper_id = "1"
    token_digest = factory.LazyFunction(lambda: secrets.token_bytes(32))
    created_by = factory.SelfAttribute("request.filed_by")
    created_at = mailed_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=14))

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        link = super()._create(model_class, *args, **kwargs)
        link.refresh_from_db()
        return link


class AbsenceFactory(DjangoModelFactory):
    """A week away, asked for; `state="approved"` puts it there without a move."""

    class Meta:
        model = Absence

    person = factory.SubFactory(UserFactory, roles=["de_engineer"])
    asked_by = factory.SelfAttribute("person")
    asked_at = factory.LazyFunction(timezone.now)
    start = factory.LazyFunction(timezone.localdate)
    end = factory.LazyAttribute(lambda o: o.start + dt.timedelta(days=6))

    @classmethod
    def _create(cls, model_class, *args, state="draft", **kwargs):
        absence = super()._create(model_class, *args, **kwargs)
        absence.refresh_from_db()
        if state != "draft":
            workflow.place(absence, state)
        return absence


class ProjectFactory(DjangoModelFactory):
    """An internal project, hardly chartered; `state="ready"` puts it there without a move."""

    class Meta:
        model = Project
        skip_postgeneration_save = True

    kind = "internal"
    type = "guide"
    title = factory.Sequence(lambda n: f"Runbook {n}")
    proposed_by = factory.SubFactory(UserFactory, roles=["tam"])

    @classmethod
    def _create(cls, model_class, *args, state="proposed", **kwargs):
        rank = kwargs.pop("rank", None) or lanes.key_before(state, None, Project(pk=0))
        # It is made in triage, where the key may be another's.
        made_with = rank if state == "proposed" else f"~{uuid.uuid4()}"
        project = super()._create(model_class, *args, rank=made_with, **kwargs)
        if state != "proposed":
            workflow.place(project, state)
            model_class.objects.filter(pk=project.pk).update(rank=rank)
        project.refresh_from_db()
        return project


class ProjectAccountFactory(DjangoModelFactory):
    class Meta:
        model = ProjectAccount

    project = factory.SubFactory(ProjectFactory, kind="external")
    account = factory.SubFactory(AccountFactory)
    seats_low, seats_likely, seats_high = 100, 200, 400


class SupportPlanFactory(DjangoModelFactory):
    class Meta:
        model = SupportPlan

    project = factory.SubFactory(ProjectFactory)
    mode = "team"
    maintained_by = "de"
    text = "We fix it within two days."
    written_by = factory.SelfAttribute("project.proposed_by")
    written_at = factory.LazyFunction(timezone.now)


class ProjectArtefactFactory(DjangoModelFactory):
    class Meta:
        model = ProjectArtefact

    project = factory.SubFactory(ProjectFactory)
    name = "Sync plugin"
    by = factory.SelfAttribute("project.proposed_by")
    at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class ProjectCheckFactory(DjangoModelFactory):
    """A look that is due today."""

    class Meta:
        model = ProjectCheck

    project = factory.SubFactory(ProjectFactory)
    days = 30
    due_on = factory.LazyFunction(lambda: timezone.now().date())
    seats_promised = 200
    seats_before = 100

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class StakeholderFactory(DjangoModelFactory):
    class Meta:
        model = Stakeholder

    project = factory.SubFactory(ProjectFactory)
    kind = "input"
    name = "Kari Solberg"


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    team = factory.SubFactory(TeamFactory)
    person = factory.SubFactory(UserFactory, roles=["de_engineer"])
    start = dt.date(2020, 1, 1)


class IncrementFactory(DjangoModelFactory):
    """Two weeks from next Monday on."""

    class Meta:
        model = Increment

    team = factory.SubFactory(TeamFactory)
    start = factory.LazyFunction(
        lambda: timezone.localdate() + dt.timedelta(days=7 - timezone.localdate().weekday())
    )
    end = factory.LazyAttribute(lambda o: o.start + dt.timedelta(days=13))
    name = factory.LazyAttribute(lambda o: f"{o.start:%G-W%V}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class AllocationFactory(DjangoModelFactory):
    """Two days pencilled in."""

    class Meta:
        model = Allocation

    increment = factory.SubFactory(IncrementFactory)
    project = factory.SubFactory(ProjectFactory)
    person = factory.SubFactory(UserFactory, roles=["de_engineer"])
    days = 2
    by = factory.SelfAttribute("person")
    at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class ReviewFactory(DjangoModelFactory):
    class Meta:
        model = Review
        skip_postgeneration_save = True

    chair = factory.SubFactory(UserFactory, roles=["de_lead"])
    meets_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, state="planned", **kwargs):
        review = _fresh(super()._create(model_class, *args, **kwargs))
        if state != "planned":
            workflow.place(review, state)
        return review


class ReviewItemFactory(DjangoModelFactory):
    class Meta:
        model = ReviewItem

    review = factory.SubFactory(ReviewFactory)
    project = factory.SubFactory(ProjectFactory)
    position = 1
    why = "by_hand"
    words = "Put on by hand"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class FigureRunFactory(DjangoModelFactory):
    """A published number of yesterday: 20.5 business hours."""

    class Meta:
        model = MetricRun

    definition = factory.LazyFunction(
        lambda: MetricDefinition.objects.filter(unit="duration").order_by("slug").first()
    )
    day = factory.LazyFunction(lambda: timezone.now().date() - dt.timedelta(days=1))
    revision = 1
    known_at = factory.LazyFunction(timezone.now)
    published_at = factory.SelfAttribute("known_at")
    digest = "0" * 64
    value = "20.5"


class DefinitionProposalFactory(DjangoModelFactory):
    """A draft of the next version of `seats-deployed`: 75%."""

    class Meta:
        model = DefinitionProposal

    base = factory.LazyFunction(
        lambda: MetricDefinition.objects.get(slug="seats-deployed", number=1)
    )
    slug = factory.SelfAttribute("base.slug")
    title = factory.SelfAttribute("base.title")
    text = "Three of four seats."
    policy = factory.LazyAttribute(lambda draft: {**draft.base.policy, "share_percent": 75})
    owner = "Metric owner"
    effective_on = factory.LazyFunction(lambda: timezone.now().date() + dt.timedelta(days=2))
    why = "The board counts three of four."
    proposed_by = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return _fresh(super()._create(model_class, *args, **kwargs))


class AlertFactory(DjangoModelFactory):
    """An open alert: more than 16 hours."""

    class Meta:
        model = Alert

    raised_by = factory.SubFactory(FigureRunFactory)
    last_run = factory.SelfAttribute("raised_by")
    rule = factory.LazyAttribute(
        lambda alert: AlertRule.objects.create(
            slug=alert.raised_by.definition.slug, kind="above", value=16, tells=["leadership"]
        )
    )
    said = says = "20.5 hours is above 16 hours"
    raised_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        alert = _fresh(super()._create(model_class, *args, **kwargs))
        alert.rule.refresh_from_db()
        return alert


def _fresh(row):
    row.refresh_from_db()
    return row
