import uuid

import pytest

from config.lib import etags
from config.lib.errors import PreconditionRequired, StaleWrite
from config.lib.values import BadValue

ETAG = etags.etag_of(uuid.UUID("8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"), 3)


def test_a_write_from_what_is_stored_passes(rf):
    for sent in (ETAG, f'"other", {ETAG}', "*"):
        etags.require_match(rf.patch("/", headers={"if-match": sent}), ETAG)


def test_without_if_match_it_is_refused(rf):
    with pytest.raises(PreconditionRequired):
        etags.require_match(rf.patch("/"), ETAG)


@pytest.mark.parametrize("sent", ['"other"', f"W/{ETAG}", ""])
def test_from_another_version_it_is_refused_with_what_is_stored(rf, sent):
    with pytest.raises(StaleWrite) as caught:
        etags.require_match(rf.patch("/", headers={"if-match": sent}), ETAG)
    assert caught.value.etag == ETAG


@pytest.mark.parametrize("sent", ["x", "8f14e45f.3", '"a" "b"', '"', "a,b"])
def test_malformed_is_said_so(rf, sent):
    with pytest.raises(BadValue):
        etags.require_match(rf.patch("/", headers={"if-match": sent}), ETAG)
