import re

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from config.lib.markdown import markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/account/logout/)",
    "![x](https://evil.example/track.png)",
    "![x][1]\n\n[1]: https://evil.example/track.png",
    "<javascript:alert(1)>",
    '[x](https://a.example/"onmouseover="alert(1))',
    '[x](https://a.example "t\\" onmouseover=\\"alert(1)")',
    "[<b onclick=alert(1)>x</b>](https://a.example)",
    "`<svg onload=alert(1)>`",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    '~~~" onclick="x\n1\n~~~',
    "<style>*{display:none}</style>",
    '<iframe src="https://evil.example"></iframe>',
    "<a href=javascript:alert(1) id=csp class=btn-p style=color:red>x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[x]: javascript:alert(1)\n\n[x]",
    "<math><mtext></mtext><style><img src=x onerror=alert(1)>",
    "# <svg/onload=alert(1)>",
    "\x00[x](java\x00script:alert(1))",
    "> " * 500 + "deep",
    "[" * 2_000,
    "*" * 5_000,
]
START = re.compile(r"<([a-z0-9]+)((?:\s[^<>]*)?)>")
ALLOWED = re.compile(r'( (href="(https?:|mailto:)[^"]*"|rel="noopener nofollow"|start="[0-9]+"))*')


def is_harmless(html):
    elements = START.findall(html)
    assert {name for name, _ in elements} <= {
        "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
        "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    }  # fmt: skip
    # Whatever opens an element was understood above; all else is text.
    assert html.count("<") == len(elements) + len(re.findall(r"</[a-z0-9]+>", html))
    assert all(ALLOWED.fullmatch(attributes.rstrip("/ ")) for _, attributes in elements), html


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_comes_through(text):
    is_harmless(markdown(text))


@given(st.lists(st.sampled_from([*HOSTILE[:27], "\n", " ", "* ", "1. ", "> ", "|", "-|-", "`"])))
def test_nothing_hostile_comes_through_in_combination(parts):
    is_harmless(markdown("".join(parts)))


@given(st.text())
def test_any_text_has_a_rendering(text):
    is_harmless(markdown(text))


def test_links_say_that_they_are_not_ours():
    assert markdown("[the runbook](https://a.example/x?a=1&b=2)") == (
        '<p><a href="https://a.example/x?a=1&amp;b=2" rel="noopener nofollow">the runbook</a></p>\n'
    )
    assert 'href="mailto:kari@halden.example"' in markdown("<kari@halden.example>")


def test_pictures_are_links():
    html = markdown("![plan](https://a.example/plan.png)")
    assert "<img" not in html
    assert ">plan</a>" in html


def test_what_people_type_keeps_its_lines_and_lists():
    assert markdown("one\ntwo") == "<p>one<br>\ntwo</p>\n"
    assert markdown("one\ntwo", reflow=True) == "<p>one\ntwo</p>\n"
    assert '<ol start="3">\n<li>three</li>' in markdown("3. three")
    assert "<table>" in markdown("|a|b|\n|-|-|\n|1|2|")


def test_headings_stand_below_those_of_the_page():
    assert markdown("# One\n\n## Two\n\n##### Five") == (
        "<h3>One</h3>\n<h4>Two</h4>\n<h6>Five</h6>\n"
    )
    assert markdown("# One", heading=2) == "<h2>One</h2>\n"


def test_it_is_a_filter_of_templates():
    template = Template("{{ text|markdown }}")
    assert template.render(Context({"text": "*a* <b>"})) == "<p><em>a</em> &lt;b&gt;</p>\n"
