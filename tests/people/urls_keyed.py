"""A resource whose only purpose is to be posted to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from config.lib.errors import Invalid
from config.lib.parsers import StrictJSONParser
from people.http import user_of
from people.models import SavedView
from people.writing import Keyed, once

# What the tests hang in to happen in the middle of a request.
before_answer = []


def thing(user, name):
    view = SavedView.objects.create(owner=user, page="accounts", name=name)
    for act in before_answer:
        act()
    return view


class Things(Keyed, ViewSet):
    scope = write_scope = "account:write"
    for_limited_tokens = True
    key_needed = frozenset({"bulk"})

    def create(self, request):
        name = request.data.get("name")
        if not name:
            raise Invalid("Give a name.", field="name")
        if name == "refused":
            thing(request.user, name)
            return Response({"detail": "no"}, status=409)
        made = thing(request.user, name)
        headers = {"Location": f"/things/{made.uuid}/", "ETag": f'"{made.uuid}.1"', "X-Own": "1"}
        return Response({"id": made.uuid, "name": name}, status=201, headers=headers)

    def bulk(self, request):
        return Response({"id": thing(request.user, request.data["name"]).uuid})


class Files(Keyed, APIView):
    scope = write_scope = "import:run"
    key_needed = frozenset({"post"})
    parser_classes = [StrictJSONParser, MultiPartParser]
    rate = "import"

    def post(self, request):
        content = request.data["file"].read()
        made = thing(request.user, request.data["kind"])
        return Response({"id": made.uuid, "bytes": len(content)}, status=201)


@once
def page(request: HttpRequest) -> HttpResponse:
    if request.POST.get("name") == "wrong":
        return HttpResponse("Give another name.", status=422)
    made = thing(user_of(request), request.POST["name"])
    return redirect(f"/things/{made.uuid}/")


@once
def plain_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(thing(user_of(request), request.POST["name"]).uuid))


urlpatterns = [
    path("api/v1/things/", Things.as_view({"post": "create"})),
    path("api/v1/others/", Things.as_view({"post": "create"})),
    path("api/v1/things/bulk/", Things.as_view({"post": "bulk"})),
    path("api/v1/files/", Files.as_view()),
    path("page/", page),
    path("plain/", plain_page),
    path("", include("config.urls")),
]
