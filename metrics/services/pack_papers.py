"""A board pack as PDF: the same that its page says, typeset offline, tagged for screen readers."""

import datetime as dt
from pathlib import Path

from engagements.services.papers import typeset
from metrics.selectors.pack_blocks import Document

PAPERS = Path(__file__).parent.parent / "papers"
SO_FAR = "The month is not over. This is a preview: nothing is kept, and nobody is mailed."


def pack_pdf(document: Document, *, company: str, digest: str, at: dt.datetime) -> bytes:
    """Return the bytes, the same for the same report."""
    data = {
        **document.as_json(),
        "chart_rules": (PAPERS / "chart.css").read_text(),
        "company": company,
        "kind": "Customer Seats Deployed, monthly report",
        "mark": document.title,
        "state": SO_FAR if document.is_so_far else "",
        "footer": document.title,
        "digest": f"SHA-256 {digest}",
    }
    return typeset(PAPERS / "pack.typ", data, at=at)
