"""Requests sent twice have one effect: `Idempotency-Key` for programs, `{% once %}` for forms.

The key's row, the effect and the answer are one transaction: whatever ends it early leaves
nothing, and the request can be sent again. See docs/decisions/0008-one-effect.md.
"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar, cast, overload

from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib.errors import Conflict, Invalid
from people.http import principal_of
from people.models import IdempotencyKey
from people.services import request_keys

if TYPE_CHECKING:
    from rest_framework.views import APIView
else:
    APIView = object

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
FIELD = "once"
KEPT_HEADERS = ("Content-Type", "ETag", "Location")
WRONG = 400
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_FORM_KEY = re.compile(r"[\w-]{16,64}", re.ASCII)

Answer = HttpResponseBase
View = Callable[..., HttpResponse]


class KeyNeeded(Invalid):
    """A request that must not happen twice came without a key."""

    code = "idempotency_key_required"
    default_message = (
        f"Send the header {KEY} with a value of your own, such as a new UUID, "
        "and the same one when you send this again."
    )


class SentAlready(Conflict):
    """A form came a second time."""

    code = "sent_already"
    default_message = "This form was sent already. Open it again to send another."


class Keyed(APIView):
    """Accepts `Idempotency-Key` on every POST; the actions in `key_needed` insist on it.

    Stands before the view's other bases.
    """

    key_needed: ClassVar[frozenset[str]] = frozenset()
    post: Callable[..., Answer]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and hasattr(self, "post"):
            self.post = partial(self._post_once, self.post)

    def _post_once(
        self, handler: Callable[..., Answer], request: Request, *args: Any, **kwargs: Any
    ) -> Answer:
        key = _key_of(request)
        if key is None:
            if getattr(self, "action", "post") in self.key_needed:
                raise KeyNeeded
            return handler(request, *args, **kwargs)
        asked = _request(request, key, body_digest(request))
        with transaction.atomic():
            row, is_new = request_keys.claim(asked)
            if not is_new:
                return _replayed(row)
            response = handler(request, *args, **kwargs)
            if response.status_code >= WRONG:
                transaction.set_rollback(True)
                return response
            _render(response, self, request)
            headers = {name: response[name] for name in KEPT_HEADERS if name in response}
            body = cast("HttpResponse", response).content
            request_keys.keep(row, status=response.status_code, headers=headers, body=body)
        return response


def body_digest(request: Request) -> str:
    """Return the SHA-256 of what was sent, read once; of a form its fields and files."""
    data = request.data
    if isinstance(data, QueryDict):
        return _form_digest(data)
    found: str | None = (request.parser_context or {}).get("body_digest")
    return found or hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


@overload
def once(view: View, /) -> View: ...
@overload
def once(*, again: View) -> Callable[[View], View]: ...
def once(view: View | None = None, /, *, again: View | None = None) -> Any:
    """Let a form with `{% once %}` have one effect, however often it is sent.

    The second time leads where the first led. Where that was a page, `again` makes the
    one shown instead.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != "POST" or FIELD not in request.POST:
                return view(request, *args, **kwargs)
            asked = _request(request, _form_key(request), _form_digest(_typed(request)))
            with transaction.atomic():
                try:
                    row, is_new = request_keys.claim(asked)
                except request_keys.KeyReused as error:
                    raise SentAlready from error
                if not is_new:
                    return _again(row, partial(again, request, *args, **kwargs) if again else None)
                response = view(request, *args, **kwargs)
                if response.status_code >= WRONG:
                    transaction.set_rollback(True)
                else:
                    headers = {"Location": response["Location"]} if "Location" in response else {}
                    request_keys.keep(row, status=response.status_code, headers=headers, body=b"")
            return response

        return wrapped

    return decorated if view is None else decorated(view)


def _key_of(request: Request) -> str | None:
    text = request.headers.get(KEY)
    if text is None:
        return None
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _KEY.fullmatch(text):
        raise Invalid(
            f"{KEY} is 1 to 255 visible ASCII characters, such as a new UUID.",
            code="bad_idempotency_key",
        )
    return text


def _form_key(request: HttpRequest) -> str:
    key = request.POST[FIELD]
    if not _FORM_KEY.fullmatch(key):
        raise BadRequest
    return f"form:{key}"


def _typed(request: HttpRequest) -> QueryDict:
    """Return the fields and files of a form, without what guards it."""
    typed = request.POST.copy()
    typed.pop("csrfmiddlewaretoken", None)
    files: Any = request.FILES
    typed.update(files)
    return typed


def _request(request: Any, key: str, digest: str) -> request_keys.Request:
    return request_keys.Request(
        principal=principal_of(request),
        key=key,
        method=request.method or "",
        path=request.get_full_path(),
        digest=digest,
    )


def _form_digest(data: QueryDict) -> str:
    """Return a digest that another boundary between the parts does not change."""
    digest = hashlib.sha256()
    for name in sorted(data):
        values: list[Any] = data.getlist(name)
        for value in values:
            digest.update(_sized(name.encode(errors="surrogatepass")))
            if not isinstance(value, UploadedFile):
                digest.update(_sized(str(value).encode(errors="surrogatepass")))
                continue
            digest.update(_sized((value.name or "").encode(errors="surrogatepass")))
            digest.update(b"file %d:" % (value.size or 0))
            for chunk in value.chunks():
                digest.update(chunk)
            value.seek(0)
    return digest.hexdigest()


def _sized(part: bytes) -> bytes:
    return b"%d:%s" % (len(part), part)


def _render(response: Answer, view: Any, request: Any) -> None:
    """Write the answer out inside the transaction, as DRF would after it."""
    if isinstance(response, Response) and not response.is_rendered:
        response.accepted_renderer = request.accepted_renderer
        response.accepted_media_type = request.accepted_media_type
        vars(response)["renderer_context"] = view.get_renderer_context()
        response.render()


def _replayed(row: IdempotencyKey) -> HttpResponse:
    headers = {**row.headers, REPLAYED: "true"}
    return HttpResponse(bytes(row.body), status=row.status, headers=headers)


def _again(row: IdempotencyKey, again: Callable[[], HttpResponse] | None) -> HttpResponse:
    if "Location" in row.headers:
        return redirect(row.headers["Location"])
    if again is None:
        raise SentAlready
    return again()
