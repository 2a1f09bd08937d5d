"""A resource over the table of tiers, as an app would write it, and what it refuses."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.exceptions import FieldError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.permissions import AllowAny
from rest_framework.test import APIRequestFactory

from accounts.models import Tier
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet
from tests.factories import TierFactory

TierFilters = filters.filter_set(
    "TierFilters",
    filters.word("name", lookups="exact in"),
    filters.word("engagement_model", choices=["light", "deep"], lookups="exact in"),
    filters.money("arr_from", lookups="exact gte lte"),
    filters.integer("cadence_days", lookups="gte lte in isnull"),
    filters.boolean("project_mandatory"),
    filters.day("start", lookups="gte lte"),
    filters.day("end", lookups="gte isnull"),
    filters.moment("updated_at", lookups="gte lte"),
    filters.uuid("id", path="uuid", lookups="in"),
)


class TierRow(RowSerializer):
    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    arr_from = fields.MoneyField()
    cadence_days = fields.IntegerField(allow_null=True)
    version = fields.IntegerField()


class TierView(ReadViewSet):
    noun = "tier"
    basename = "tiers"
    serializer_class = TierRow
    filterset_class = TierFilters
    ordering = {"name": "name", "arr_from": "arr_from", "cadence_days": "cadence_days"}
    order_by = ("name",)
    search_fields = ("name", "engagement_model")
    updated_since = "updated_at"
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_queryset(self):
        return Tier.objects.all()


def get(query="", **headers):
    request = APIRequestFactory().get(f"/api/v1/tiers/{query}", headers=headers)
    response = TierView.as_view({"get": "list"}, basename="tiers")(request)
    return response.render() if hasattr(response, "render") else response


def names(query):
    response = get(query)
    assert response.status_code == 200, response.content
    return [row["name"] for row in json.loads(response.content)["results"]]


def refused(query):
    response = get(query)
    assert response.status_code == 400, (query, response.content)
    assert response["Content-Type"] == "application/problem+json"
    (error,) = json.loads(response.content)["errors"]
    assert len(error["detail"]) < 200
    return error["field"], error["code"]


@pytest.fixture
def tiers(db):
    Tier.objects.all().delete()
    for number, (name, model, days) in enumerate(
        [("Amber", "light", None), ("Beryl", "light", 14), ("100% pure_gold", "deep", 7)]
    ):
        TierFactory(
            name=name,
            engagement_model=model,
            cadence_days=days,
            arr_from=Decimal(number * 1000),
            start=dt.date(2020 + number, 1, 1),
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["100% pure_gold", "Amber", "Beryl"]),
        ("?name=Amber", ["Amber"]),
        ("?name__in=Amber,Beryl", ["Amber", "Beryl"]),
        ("?engagement_model=deep", ["100% pure_gold"]),
        ("?arr_from__gte=1000", ["100% pure_gold", "Beryl"]),
        ("?arr_from__gte=1000&arr_from__lte=1000.00", ["Beryl"]),
        ("?arr_from=0", ["Amber"]),
        ("?cadence_days__isnull=true", ["Amber"]),
        ("?cadence_days__isnull=false", ["100% pure_gold", "Beryl"]),
        ("?cadence_days__in=7,8", ["100% pure_gold"]),
        ("?project_mandatory=true", []),
        ("?start__gte=2021-01-01", ["100% pure_gold", "Beryl"]),
        ("?ordering=-name", ["Beryl", "Amber", "100% pure_gold"]),
        ("?ordering=cadence_days", ["100% pure_gold", "Beryl", "Amber"]),
        ("?ordering=-cadence_days,name", ["Beryl", "100% pure_gold", "Amber"]),
        ("?search=BER", ["Amber", "Beryl"]),
        ("?search=%25", ["100% pure_gold"]),
        ("?search=_", ["100% pure_gold"]),
        ("?search=light+amb", ["Amber"]),
        ("?search=%5C", []),
        ("?search='", []),
        ("?updated_since=2020-01-01T00:00:00Z", ["100% pure_gold", "Amber", "Beryl"]),
        ("?updated_since=2099-01-01T00:00:00%2B02:00", []),
    ],
)
def test_filters_order_and_search(tiers, query, found):
    assert names(query) == found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("?nothing=1", "nothing", "unknown"),
        ("?page=2", "page", "unknown"),
        ("?offset=50", "offset", "unknown"),
        ("?_method=DELETE", "_method", "unknown"),
        ("?_connector=OR", "_connector", "unknown"),
        ("?name__class=x", "name__class", "unknown"),
        ("?name__startswith=A", "name__startswith", "unknown"),
        ("?arr_from__isnull=true", "arr_from__isnull", "unknown"),
        ("?a[]=1", "a[]", "unknown"),
        ("?na%00me=1", "na me", "unknown"),
        ("?name=A&name=B", "name", "repeated"),
        ("?page_size=1&page_size=2", "page_size", "repeated"),
        ("?name=", "name", "empty"),
        ("?search=", "search", "empty"),
        ("?name=%20", "name", "empty"),
        ("?name=A%00", "name", "unsafe_character"),
        ("?name=%ff", "name", "unsafe_character"),
        ("?name=a%E2%80%AEb", "name", "unsafe_character"),
        ("?search=a%0d%0ab", "search", "unsafe_character"),
        ("?search=" + "x" * 101, "search", "max_length"),
        ("?search=" + "x" * 5_000, "search", "max_length"),
        ("?engagement_model=Deep", "engagement_model", "not_a_choice"),
        ("?engagement_model__in=deep,,light", "engagement_model__in", "empty"),
        ("?arr_from__gte=abc", "arr_from__gte", "not_a_number"),
        ("?arr_from__gte=NaN", "arr_from__gte", "not_a_number"),
        ("?arr_from__gte=1e3", "arr_from__gte", "not_a_number"),
        ("?arr_from__gte=-1", "arr_from__gte", "negative"),
        ("?arr_from__gte=" + "9" * 400, "arr_from__gte", "too_large"),
        ("?cadence_days__gte=1_0", "cadence_days__gte", "not_an_integer"),
        ("?cadence_days__gte=%EF%BC%91", "cadence_days__gte", "not_an_integer"),
        ("?cadence_days__gte=2147483648", "cadence_days__gte", "too_large"),
        ("?cadence_days__in=7,x", "cadence_days__in", "not_an_integer"),
        ("?cadence_days__in=" + ",".join("7" * 201), "cadence_days__in", "too_many"),
        ("?cadence_days__isnull=1", "cadence_days__isnull", "not_a_boolean"),
        ("?project_mandatory=True", "project_mandatory", "not_a_boolean"),
        ("?start__gte=2026-02-30", "start__gte", "not_a_date"),
        ("?start__gte=9999-01-01", "start__gte", "date_out_of_range"),
        ("?updated_at__gte=2026-01-01T00:00:00", "updated_at__gte", "no_offset"),
        ("?updated_since=2026-01-01T00:00:00+02:00", "updated_since", "not_a_datetime"),
        ("?id__in=1", "id__in", "not_an_id"),
        ("?ordering=id", "ordering", "not_a_choice"),
        ("?ordering=uuid", "ordering", "not_a_choice"),
        ("?ordering=name,-name", "ordering", "repeated"),
        ("?ordering=name%3B", "ordering", "not_a_choice"),
        ("?page_size=0", "page_size", "too_small"),
        ("?page_size=-1", "page_size", "negative"),
        ("?page_size=201", "page_size", "too_large"),
        ("?page_size=1e9", "page_size", "not_an_integer"),
        ("?page_size=abc", "page_size", "not_an_integer"),
        ("?count=1", "count", "not_a_boolean"),
        ("?cursor=abc", "cursor", "bad_cursor"),
        ("?format=xml", "format", "not_a_choice"),
        ("?format=csv&page_size=10", "page_size", "not_with_csv"),
    ],
)
def test_what_is_unknown_or_malformed_is_named(query, field, code):
    assert refused(query) == (field, code)


@pytest.mark.django_db
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*sorted(TierFilters.base_filters), "ordering", "search", "cursor"])
        | st.text(max_size=20),
        st.text(max_size=20),
        max_size=3,
    )
)
def test_no_query_string_causes_a_500(parameters):
    request = APIRequestFactory().get("/api/v1/tiers/", parameters)
    try:
        response = TierView.as_view({"get": "list"}, basename="tiers")(request)
    except FieldError:
        pytest.fail("A parameter reached the ORM.")
    assert response.status_code in {200, 400}


class TestPages:
    @pytest.fixture(autouse=True)
    def _tiers(self, tiers):
        pass

    def page(self, query):
        return json.loads(get(query).content)

    def test_links_lead_on_and_back_and_keep_the_filters(self):
        first = self.page("?page_size=2&ordering=-name&name__in=Amber,Beryl,100%25+pure_gold")
        assert first["previous"] is None
        second = self.page("?" + first["next"].partition("?")[2])
        assert [row["name"] for row in second["results"]] == ["100% pure_gold"]
        assert second["next"] is None
        back = self.page("?" + second["previous"].partition("?")[2])
        assert back["results"] == first["results"]

    def test_a_cursor_does_not_fit_another_list(self):
        first = self.page("?page_size=1&ordering=name")
        query = first["next"].partition("?")[2].replace("ordering=name", "ordering=-name")
        assert refused(f"?{query}") == ("cursor", "bad_cursor")
        query = first["next"].partition("?")[2]
        assert refused(f"?{query}&arr_from__gte=0") == ("cursor", "bad_cursor")
        assert get(f"?{query}&count=true").status_code == 200
        assert get(f"?{query}".replace("page_size=1", "page_size=2")).status_code == 200

    def test_the_count_comes_when_asked_for(self):
        assert "count" not in self.page("?page_size=1")
        assert self.page("?page_size=1&count=true")["count"] == 3
        assert self.page("?search=ber&count=true")["count"] == 2

    def test_one_statement_a_page(self):
        with CaptureQueriesContext(connection) as statements:
            get("?search=ber&ordering=-arr_from")
        assert len(statements) == 1

    def test_csv_has_every_row(self):
        response = get("?format=csv&ordering=-name")
        lines = b"".join(response.streaming_content).decode().splitlines()
        assert lines[0] == "id,name,arr_from,cadence_days,version"
        assert [line.split(",")[1] for line in lines[1:]] == ["Beryl", "Amber", "100% pure_gold"]
        assert response["Content-Disposition"].startswith('attachment; filename="tiers-')

    def test_csv_by_accept_header(self):
        assert get("", accept="text/csv")["Content-Type"].startswith("text/csv")
        assert get("", accept="text/html").status_code == 406


class TestDetail:
    def get(self, tier_id, query="", **headers):
        request = APIRequestFactory().get(f"/api/v1/tiers/{tier_id}/{query}", headers=headers)
        response = TierView.as_view({"get": "retrieve"})(request, id=tier_id)
        return response.render() if hasattr(response, "render") else response

    def test_has_a_strong_etag(self, tiers):
        tier = Tier.objects.get(name="Amber")
        response = self.get(tier.uuid)
        assert response["ETag"] == f'"{tier.uuid}.1"'
        assert response["Cache-Control"] == "no-store"
        assert json.loads(response.content)["arr_from"] == "0.00"

    def test_304_when_nothing_changed(self, tiers):
        tier = Tier.objects.get(name="Amber")
        etag = f'"{tier.uuid}.1"'
        for sent in (etag, "*", f"W/{etag}", f'"x", {etag}'):
            response = self.get(tier.uuid, **{"if-none-match": sent})
            assert (response.status_code, response["ETag"]) == (304, etag)
        Tier.objects.filter(pk=tier.pk).update(version=2)
        assert self.get(tier.uuid, **{"if-none-match": etag}).status_code == 200
        assert self.get(tier.uuid, **{"if-none-match": "x"}).status_code == 400

    def test_unknown_is_404(self, tiers):
        response = self.get("8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f")
        assert response.status_code == 404
        assert json.loads(response.content)["detail"] == "No such tier."

    @pytest.mark.parametrize("query", ["?name=x", "?page_size=1", "?ordering=name", "?format=csv"])
    def test_takes_no_list_parameters(self, tiers, query):
        assert self.get(Tier.objects.first().uuid, query).status_code == 400
