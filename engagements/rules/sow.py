"""What a statement of work holds, its canonical form and its hash."""

import hashlib
import json
from typing import Any


def missing_parts(content: dict[str, Any]) -> list[str]:
    """Return the names of the parts that are not there yet, in their order."""
    return [] if content.get("deliverables") else ["Deliverables"]


def digest_of(content: dict[str, Any], *, request: str, account: str) -> str:
    """Return the SHA-256 of the canonical bytes, as hex."""
    whole = {"request": request, "account": account, "content": content}
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
