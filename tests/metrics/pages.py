"""What a page says, to whom reads it, and companies to show on it."""

import csv
import html
import re

from tests.factories import AssignmentFactory
from tests.metrics.scene import compute, customer, learn

DASHBOARD = "/metric/"
LIST = "/metric/accounts/"
ROWS = "/metric/accounts.csv"
SERIES = "/metric/series.csv"
BLOCKS = "|".join(("p", "h1", "h2", "th", "td", "tr", "li", "dt", "dd", "div", "section"))


def words(response):
    """Return what a page says, a block a line."""
    text = re.sub(rf"</?({BLOCKS})\b[^>]*>", "\n", response.content.decode())
    text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t]+", " ", text))


def said(response):
    """Return the same on one line."""
    return " ".join(words(response).split())


def names(response):
    return re.findall(r'<a class="t"[^>]*>\s*([^<]+?)\s*</a>', response.content.decode())


def table(response):
    lines = b"".join(response.streaming_content).decode().splitlines()
    return list(csv.DictReader(lines))


def computed(*args, **kwargs):
    return compute(*args, **kwargs).run


def company_of(count):
    """Let there be so many accounts, every third below the line, and a number yesterday."""
    learn("03-01")
    for number in range(count):
        account = customer(60 if number % 3 == 0 else 90, at="03-18T12:00", name=f"Co {number:02}")
        AssignmentFactory(account=account)
    return computed("03-19")
