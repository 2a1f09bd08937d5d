"""What the three sides of a support plan sign: its content, as one hash."""

import hashlib
import json
from collections.abc import Mapping


def digest_of(
    *,
    project: str,
    mode: str,
    maintained_by: str,
    depends_on_server_version: bool,
    text: str,
    in_scope: str,
) -> str:
    """Return the hash of what is signed; the scope belongs to it, for it says what is supported."""
    content = {
        "project": project,
        "mode": mode,
        "maintained_by": maintained_by,
        "depends_on_server_version": depends_on_server_version,
        "text": text,
        "in_scope": in_scope,
    }
    return _hash(content)


def scope_digest_of(*, project: str, in_scope: str) -> str:
    """Return the hash of what is approved where work is inside the product."""
    return _hash({"project": project, "in_scope": in_scope})


def _hash(content: Mapping[str, object]) -> str:
    written = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
