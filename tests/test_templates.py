"""What no template and no style sheet of ours may contain. See docs on the content policy."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = [*sorted((ROOT / "templates").rglob("*.html")), ROOT / "tests" / "styleguide.html"]
STYLE_SHEETS = sorted((ROOT / "static").rglob("*.css"))
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
HTML_IN_CODE = sorted((ROOT / "config" / "lib" / "ui").rglob("*.py"))

TAG = re.compile(r"<(\w[\w-]*)((?:\{%.*?%\}|\{\{.*?\}\}|[^<>{]|\{(?![{%]))*)>", re.S)
COMMENT = re.compile(r"\{#.*?#\}|\{% comment.*?endcomment %\}", re.S)
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|light-dark)\(", re.I)
ELEMENT = re.compile(r"<(button|a)\b((?:\{%.*?%\}|\{\{.*?\}\}|[^<>{])*)>(.*?)</\1>", re.S)


def named(paths):
    return pytest.mark.parametrize("file", paths, ids=lambda path: str(path.relative_to(ROOT)))


def tags(path):
    for name, attributes in TAG.findall(COMMENT.sub("", path.read_text())):
        yield name.lower(), attributes


@named(TEMPLATES + HTML_IN_CODE)
def test_no_inline_style_and_no_inline_handler(file):
    for name, attributes in tags(file):
        assert not re.search(r"\bstyle\s*=", attributes), f"<{name}{attributes}>"
        assert not re.search(r"\s(?:hx-)?on[a-z:-]*\s*=", attributes), f"<{name}{attributes}>"
        assert name != "style"


@named(TEMPLATES)
def test_scripts_are_files(file):
    for name, attributes in tags(file):
        if name == "script":
            assert "src=" in attributes


@named(TEMPLATES + HTML_IN_CODE)
def test_every_svg_is_hidden_or_labelled(file):
    for name, attributes in tags(file):
        if name == "svg" and "{}" not in attributes:
            assert "aria-hidden" in attributes or "aria-label" in attributes, attributes


@named(TEMPLATES + HTML_IN_CODE)
def test_every_button_has_a_type(file):
    for name, attributes in tags(file):
        if name == "button":
            assert re.search(r"\btype=", attributes), attributes


@named(TEMPLATES + HTML_IN_CODE)
def test_every_icon_button_has_a_label(file):
    for _, attributes, content in ELEMENT.findall(COMMENT.sub("", file.read_text())):
        words = re.sub(r"\{% (?:icon|avatar)\b.*?%\}|<[^>]+>", "", content)
        if not words.strip():
            assert "aria-label" in attributes, f"{attributes} {content}"


@named(TEMPLATES)
def test_htmx_stays_in_the_part_that_the_policy_allows(file):
    for _, attributes in tags(file):
        for trigger in re.findall(r'hx-trigger="([^"]*)"', attributes):
            assert "[" not in trigger
        assert "js:" not in attributes
        assert "hx-vars" not in attributes


def test_colours_are_named_in_one_block():
    file = ROOT / "static" / "keel" / "keel.css"
    text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
    tokens, _, rules = text.partition('[data-theme="light"]')
    assert "--ink:" in tokens
    for line in rules.splitlines():
        assert not COLOUR.search(line), line


@named(STYLE_SHEETS + SCRIPTS)
def test_nothing_is_loaded_from_elsewhere(file):
    text = file.read_text()
    assert "data:" not in text.replace("hx-data:", "")
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text


def test_our_script_stays_small():
    """What every page loads, all of it together; and each script that single pages load."""
    everywhere = (ROOT / "templates" / "base.html").read_text()
    sizes = {file.name: len(gzip.compress(file.read_bytes())) for file in SCRIPTS}
    shared = [name for name in sizes if f"keel/{name}" in everywhere]
    assert sum(sizes.pop(name) for name in shared) < 10 * 1024
    assert not {name: size for name, size in sizes.items() if size > 2 * 1024}


def test_no_file_of_others_is_kept_here():
    kept = [file for file in (ROOT / "static").rglob("*") if file.is_file()]
    assert {file.suffix for file in kept} <= {".css", ".js", ".svg"}
    assert not [file for file in kept if ".min." in file.name]
