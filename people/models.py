"""Who signs in: people, their roles, and the API tokens they own."""

import datetime as dt
import uuid
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from config.lib.models import Public


class Role(models.TextChoices):
    """The groups a person can be in; several at once. domain.md, section 6."""

    TAM = "tam", "TAM"
    CSM = "csm", "CSM"
    CRE = "cre", "CRE"
    AE = "ae", "Account executive"
    SA = "sa", "Solution architect"
    DE_ENGINEER = "de_engineer", "DE engineer"
    DE_LEAD = "de_lead", "DE lead"
    ENGINEERING_LEADERSHIP = "engineering_leadership", "Engineering leadership"
    SUPPORT_LEADERSHIP = "support_leadership", "Support leadership"
    PRODUCT_LEADERSHIP = "product_leadership", "Product leadership"
    LEADERSHIP = "leadership", "Leadership"
    METRIC_OWNER = "metric_owner", "Metric owner"
    ADMINISTRATOR = "administrator", "Administrator"


# More than this many saved views nobody finds their way in.
MOST_VIEWS = 200
REQUESTERS = frozenset({Role.TAM, Role.CSM, Role.CRE, Role.AE, Role.SA})


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(Public, AbstractBaseUser):
    """A person of the company. Signs in with the e-mail address."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "System"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    PERSONAL = frozenset({"email", "name"})
    # Public ids of the accounts that the token of this request is limited to; None: not limited.
    limited_to: frozenset[uuid.UUID] | None = None

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200)
    groups = models.ManyToManyField(Group, related_name="people", blank=True)
    is_active = models.BooleanField(default=True)
    # The one that commands and tasks act as; it has no password and cannot sign in.
    is_system = models.BooleanField(default=False)
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="people_user_one_per_email"),
            models.UniqueConstraint(
                "is_system", condition=Q(is_system=True), name="people_user_one_system"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def roles(self) -> frozenset[str]:
        """The codes of Role this person has, read once a request."""
        if self.pk is None or not self.is_active:
            return frozenset()
        return frozenset(self.groups.values_list("name", flat=True))

    @cached_property
    def visible_views(self) -> list["SavedView"]:
        """Their own saved views, then the team's, by name; read once a request."""
        views = SavedView.objects.filter(Q(owner=self) | Q(is_team=True))
        return list(views.order_by("is_team", "name", "pk")[:MOST_VIEWS])

    @property
    def roles_given(self) -> list["Role"]:
        """The roles of this person, active or not, in the order of Role; from prefetched groups."""
        names = {group.name for group in self.groups.all()}
        return [role for role in Role if role.value in names]

    @property
    def has_password(self) -> bool:
        return self.has_usable_password()

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def get_full_name(self) -> str:
        return self.name


def system_user() -> User:
    """The actor of commands and tasks. It cannot sign in."""
    user, _ = User.objects.get_or_create(
        is_system=True,
        defaults={"email": "system@keel.invalid", "name": "Keel", "password": "!"},
    )
    return user


class Scope(models.TextChoices):
    """What an API token may be used for; never more than its owner may."""

    ACCOUNT_READ = "account:read", "Read accounts, subscriptions, instances, seat readings"
    ACCOUNT_WRITE = "account:write", "Write accounts, subscriptions, instances, assignments"
    CONTACT_READ = "contact:read", "Read contacts"
    CONTACT_WRITE = "contact:write", "Write contacts"
    SEATS_WRITE = "seats:write", "Write seat readings"
    REQUEST_READ = "request:read", "Read service requests, SOWs and sign-offs"
    REQUEST_WRITE = "request:write", "File service requests, write SOWs, make moves"
    PROJECT_READ = "project:read", "Read projects, the board, reviews, increments, absences"
    PROJECT_WRITE = "project:write", "Propose and move projects, score, plan, ask for absence"
    METRICS_READ = "metrics:read", "Read metrics"
    METRICS_WRITE = "metrics:write", "Write alert rules, snooze alerts, propose definitions"
    IMPORT_RUN = "import:run", "Run imports"
    TOKEN_READ = "token:read", "List own tokens"


class ApiToken(Public):
    """A token another program signs in with. Only a digest is kept.

    The token reads `keel_<key>_<secret>`; `key` finds the row, and the digest is an
    HMAC-SHA256 of the whole token under the pepper named by `pepper_id`.
    """

    owner = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=16, unique=True)
    pepper_id = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope.choices))
    # Public ids of the accounts it is limited to; null: all that its owner may see.
    account_ids = ArrayField(models.UUIDField(), null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="people_token_expires_after_creation",
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="people_token_has_a_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def is_usable(self, at: dt.datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at


class IdempotencyKey(models.Model):
    """A request that was carried out, and its answer, kept for a day.

    Written in the transaction of the effect, so there is either both or neither.
    """

    # "token:<key>" or "user:<id>".
    principal = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=6)
    path = models.TextField()
    # SHA-256 of what was sent, as hex.
    body_digest = models.CharField(max_length=64)
    # Null only inside the transaction that carries it out.
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="people_idempotency_one")
        ]
        indexes = [models.Index(fields=["created_at"], name="people_idempotency_by_age")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class SavedView(Public):
    """A list as somebody wants to see it again: its filters, order and columns."""

    class Page(models.TextChoices):
        ACCOUNTS = "accounts", "Accounts"
        FLIPS = "flips", "Flip list"
        REQUESTS = "requests", "Requests"
        PROJECTS = "projects", "Projects"
        BOARD = "board", "Board"

    owner = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=12, choices=Page.choices)
    name = models.CharField(max_length=60)
    # The query of the list's address, without its cursor.
    query = models.TextField(blank=True)
    # Names of columns in their order; empty: the list's own.
    columns = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    # Whether everybody sees it.
    is_team = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="people_view_one_name")
        ]

    def __str__(self) -> str:
        return self.name


class Absence(Public):
    """Days a person is away. `end` is the last of them; `state` is the engine's."""

    # Why somebody is away is theirs.
    PERSONAL = frozenset({"note"})

    class State(models.TextChoices):
        DRAFT = "draft", "Asked for"
        APPROVED = "approved", "Approved"
        ACTIVE = "active", "Away"
        ENDED = "ended", "Over"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default="draft")
    person = models.ForeignKey(User, models.PROTECT, related_name="absences")
    start = models.DateField()
    end = models.DateField()
    # Who stands in; needed before it is approved, and not away then.
    cover = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="covers")
    note = models.TextField(blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(end__gte=F("start")), name="people_absence_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(cover=None) | ~Q(cover=F("person")), name="people_absence_not_self"
            ),
        ]
        indexes = [models.Index(fields=["person", "end"], name="people_absence_of_person")]

    def __str__(self) -> str:
        return f"{self.person_id} from {self.start}"

    @property
    def counts(self) -> bool:
        """Whether plans have to reckon with it."""
        return self.state in (self.State.DRAFT, self.State.APPROVED, self.State.ACTIVE)
