"""What the documentation names is there: files, headings, commands, addresses, tasks."""

import re
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import is_valid_path

from events.services.notices import KINDS

PAGES = sorted(
    page
    for page in chain(
        Path().glob("*.md"), Path("docs").rglob("*.md"), Path().glob("[a-z]*/README.md"),
        Path("bench").rglob("*.md"),
    )
)  # fmt: skip
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```|^    .*?$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"""(?:make manage ARGS="|[`\s(]manage(?:\.py)? )([a-z]\w+)""")
TARGET = re.compile(r"(?:^    |`)make ([a-z]+)", re.MULTILINE)
ADDRESS = re.compile(r"`(/[a-z][^`\s?…]*/)(?:\?[^`]*)?`")
# Parts of addresses that stand for any of their kind.
MEANT = {"<name>": "seats-deployed"}
# Whatever is below is somewhere; they are not.
PREFIXES = {"/api/v1/", "/s/", "/static/"}

each_page = pytest.mark.parametrize("page", PAGES, ids=str)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links_of(page: Path) -> list[str]:
    return [
        link
        for link in LINK.findall(FENCE.sub("", text_of(page)))
        if not re.match(r"[a-z]+:", link)
    ]


def anchors_of(page: Path) -> set[str]:
    """Return the names that a page's headings have where Markdown is shown on the web."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@each_page
def test_no_link_is_dead(page):
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(target), link


def test_every_page_can_be_reached_from_the_readme():
    reached, due = set(), [Path("README.md")]
    while due:
        page = due.pop()
        reached.add(page.resolve())
        found = ((page.parent / link.partition("#")[0]) for link in links_of(page))
        due += [each for each in found if each.suffix == ".md" and each.resolve() not in reached]
        reached |= {each.resolve() for each in due}
    assert not [page for page in PAGES if page.resolve() not in reached]


def test_every_page_of_the_docs_is_in_their_index():
    named = {link.partition("#")[0] for link in links_of(Path("docs/README.md"))}
    assert {page.name for page in Path("docs").glob("[a-z]*.md")} <= named
    named = set(links_of(Path("docs/decisions/README.md")))
    assert {page.name for page in Path("docs/decisions").glob("0*.md")} == named


@each_page
def test_every_command_that_is_named_is_there(page):
    targets = re.findall(r"^([a-z]+):", Path("Makefile").read_text(), re.MULTILINE)
    assert not set(COMMAND.findall(text_of(page))) - get_commands().keys()
    assert not set(TARGET.findall(text_of(page))) - set(targets)


@each_page
def test_every_address_that_is_named_leads_somewhere(page):
    for address in ADDRESS.findall(text_of(page)):
        path = address
        for name, example in MEANT.items():
            path = path.replace(name, example)
        if path not in PREFIXES and not any(mark in path for mark in "{<*"):
            assert is_valid_path(path), address


def test_the_table_of_tasks_names_each_of_them():
    """In docs/operations.md, with its minutes."""
    rows = re.findall(r"^\| ([^|]+?) \| `(\w+\.\w+)` \|", text_of(Path("docs/operations.md")), re.M)
    beats = settings.CELERY_BEAT_SCHEDULE
    assert {name for _, name in rows} == {each["task"] for each in beats.values()}
    for when, name in rows:
        schedule = next(each["schedule"] for each in beats.values() if each["task"] == name)
        if not isinstance(schedule, float):
            minutes = "/".join(str(minute) for minute in sorted(schedule.minute)[:1])
            assert re.search(rf"\b0?{minutes}\b", when) or "every" in when, name


def test_the_table_of_notices_names_each_kind():
    rows = re.findall(r"^\| `(\w+)` \|", text_of(Path("docs/notices.md")), re.M)
    assert sorted(rows) == sorted(KINDS)


def test_every_variable_of_the_environment_is_told():
    read = re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', text_of(Path("config/settings.py")))
    told = re.findall(r"`([A-Z_]{4,})`", text_of(Path("docs/operations.md")))
    assert read
    assert set(read) <= set(told)


@pytest.mark.parametrize("page", [Path("THREAT_MODEL.md"), Path("SECURITY.md")], ids=str)
def test_every_test_and_page_that_is_named_is_there(page):
    for path in re.findall(r"`?((?:tests|docs)/[\w./-]+)", text_of(page)):
        found = list(Path().glob(f"{path.rstrip('.')}*"))
        assert found, path


def test_pictures_are_small():
    for picture in Path("docs/pictures").glob("*.png"):
        assert picture.stat().st_size <= 200_000, picture
