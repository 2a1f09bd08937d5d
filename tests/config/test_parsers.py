import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from config.lib import parsers
from config.lib.parsers import BulkJSONParser, StrictJSONParser, loads


def parse(raw, media_type="application/json", view=None):
    return StrictJSONParser().parse(io.BytesIO(raw), media_type, {"view": view})


def code_of(raw):
    with pytest.raises(ParseError) as caught:
        loads(raw)
    return caught.value.get_codes()


def test_reads_an_object():
    assert parse(b'{"seats": 12, "name": "Caf\xc3\xa9", "on": null}') == {
        "seats": 12,
        "name": "Café",
        "on": None,
    }


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"a"', b"null"])
def test_wants_an_object(raw):
    with pytest.raises(ParseError, match="object"):
        parse(raw)


def test_takes_a_list_or_an_object_in_bulk():
    def parse(raw):
        return BulkJSONParser().parse(io.BytesIO(raw), "application/json", {})

    assert parse(b'[{"a": 1}]') == [{"a": 1}]
    assert parse(b'{"items": []}') == {"items": []}
    with pytest.raises(ParseError, match="list"):
        parse(b"1")


def test_takes_more_in_bulk_but_not_without_end():
    item = b'{"name": "' + b"x" * 1_000_000 + b'"}'
    for parser, times, fits in [
        (StrictJSONParser, 1, True),
        (BulkJSONParser, 9, True),
        (BulkJSONParser, 11, False),
    ]:
        raw = item if times == 1 else b"[" + b",".join([item] * times) + b"]"
        stream = io.BytesIO(raw)
        if fits:
            assert parser().parse(stream, "application/json", {})
        else:
            with pytest.raises(APIException) as caught:
                parser().parse(stream, "application/json", {})
            assert caught.value.status_code == 413


def test_refuses_a_key_that_stands_twice():
    assert code_of(b'{"role": "tam", "role": "administrator"}') == "duplicate_key"
    assert code_of(b'{"a": [{"b": 1, "b": 1}]}') == "duplicate_key"


@pytest.mark.parametrize("raw", [b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}'])
def test_refuses_what_is_no_number(raw):
    assert code_of(raw) == "not_a_number"


@pytest.mark.parametrize("raw", [b'{"a": 1e400}', b'{"a": %s}' % (b"9" * 5000)])
def test_refuses_numbers_without_measure(raw):
    assert code_of(raw) == "too_large_number"


@pytest.mark.parametrize(
    "raw", [rb'{"a": "\u0000"}', rb'{"a": ["x", "\ud800"]}', rb'{"\udfff": 1}', rb'{"a\u0000": 1}']
)
def test_refuses_nul_and_half_characters_everywhere(raw):
    assert code_of(raw) == "unsafe_character"


def test_reads_a_pair_of_surrogates():
    assert loads(rb'{"a": "\ud83d\ude42"}') == {"a": "🙂"}


@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_refuses_depth(depth, opening, closing):
    assert code_of(opening * depth + b"1" + closing * depth) == "too_deep"
    # Cut off in the middle, it is no JSON, or too deep to find out.
    assert code_of(opening * depth) in {"too_deep", "not_json"}


def test_64_levels_are_fine():
    assert json.dumps(loads(b"[" * 64 + b"]" * 64)) == "[" * 64 + "]" * 64


def test_refuses_thousands_of_keys():
    raw = json.dumps({str(n): n for n in range(1_001)}).encode()
    assert code_of(raw) == "too_many_keys"


@pytest.mark.parametrize("raw", [b"", b"{", b"{'a': 1}", b'{"a": 1,}', b"\xef\xbb\xbf{}", b"{} {}"])
def test_refuses_what_is_no_json(raw):
    assert code_of(raw) == "not_json"


@pytest.mark.parametrize("raw", [b'{"a": "\xff"}', "{}".encode("utf-16")])
def test_refuses_other_encodings(raw):
    assert code_of(raw) == "not_utf8"
    with pytest.raises(UnsupportedMediaType):
        parse(b"{}", "application/json; charset=latin-1")
    with pytest.raises(UnsupportedMediaType):
        parse(b"{}", "application/json; charset=klingon")
    assert parse(b"{}", "application/json; charset=UTF-8") == {}


def test_refuses_more_than_two_megabytes():
    raw = b'{"a": "%s"}' % (b"x" * parsers.BYTES_MAX)
    with pytest.raises(APIException) as caught:
        parse(raw)
    assert caught.value.status_code == 413


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_bytes_cause_anything_but_a_parse_error(raw):
    caught = None
    try:
        loads(raw)
    except ParseError as error:
        caught = error
    assert caught is None or isinstance(caught.get_codes(), str)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner
        )
    ),
)


@given(JSON)
def test_ordinary_documents_read_as_written(document):
    assert loads(json.dumps(document).encode()) == document


class TestOverHttp:
    """What a view that writes answers to a body it cannot take."""

    def post(self, body, content_type="application/json"):
        class View(APIView):
            authentication_classes = ()
            permission_classes = (AllowAny,)

            def post(self, request):
                return Response(request.data)

        request = APIRequestFactory().post("/api/v1/things/", body, content_type=content_type)
        return View.as_view()(request)

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"[" * 100_000, 400, "too_deep"),
            (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "too_deep"),
            (b'{"a": ' + b"9" * 5_000 + b"}", 400, "too_large_number"),
            (b'{"a": "\\u0000"}', 400, "unsafe_character"),
            (b'{"a": 1, "a": 2}', 400, "duplicate_key"),
            (b"[]", 400, "not_an_object"),
            (b'{"a": "%s"}' % (b"x" * parsers.BYTES_MAX), 413, "too_large"),
        ],
    )
    def test_json(self, body, status, code):
        response = self.post(body)
        problem = json.loads(response.content)
        assert (response.status_code, problem["code"]) == (status, code)

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
    )
    def test_nothing_but_json(self, content_type):
        response = self.post(b'{"a": 1}', content_type)
        assert response.status_code == 415
        assert json.loads(response.content)["code"] == "unsupported_media_type"
