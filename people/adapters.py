"""allauth on our terms: nobody signs up, mails go by the outbox, guessing is slow.

Failed sign-ins are counted per (address, e-mail) and per address, never per e-mail alone:
whoever guesses from elsewhere cannot lock the owner out.
"""

import time
from http import HTTPStatus
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import respond_429
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef
from django.http import HttpRequest
from django.urls import reverse

from events.selectors import unseen_of
from events.services import send_notice
from people import services
from people.http import client_ip, is_own_path, stamp_session
from people.models import User

RETRY_AFTER_SECONDS = 60

log = structlog.get_logger(__name__)


class Backend(AuthenticationBackend):
    def get_user(self, user_id: int) -> User | None:
        """Read the person of a session, their roles and how much is new, in one statement."""
        names = Group.objects.filter(people=OuterRef("pk")).values("name")
        people = User.objects.filter(pk=user_id, is_active=True)
        user = people.annotate(
            role_names=ArraySubquery(names), unseen=unseen_of(OuterRef("pk"))
        ).first()
        if user is not None:
            vars(user)["roles"] = frozenset(user.role_names)
        return user


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        return is_own_path(url)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request)

    @transaction.atomic
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        mail = self.render_mail(template_prefix, email, {"email": email, **context})
        send_notice(to=email, subject=str(mail.subject), body=str(mail.body))

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        log.info("sign_in.done", person=user.pk, ip=self.get_client_ip(request))
        stamp_session(request, time.time())

    def set_password(self, user: User, password: str) -> None:
        services.set_password(user, password, by=user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Like allauth's, but an inactive person is told no more than a stranger."""
        self.pre_authenticate(request, **credentials)
        user = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()
        if not isinstance(user, User):
            self.authentication_failed(request, **credentials)
            return None
        self._rollback_login_failed_rl_usage()
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # The address typed may be a password in the wrong field: it is not logged.
        log.warning("sign_in.failed", ip=self.get_client_ip(request))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            response = respond_429(request)
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            log.warning("sign_in.throttled", ip=self.get_client_ip(request))
            raise ImmediateHttpResponse(response) from error

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        email = str(credentials.get("email") or credentials.get("username") or "")
        return f"{self.get_client_ip(request)}:{email.casefold()}"
