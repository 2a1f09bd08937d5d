"""Formats, tags, fragments and navigation: what every page is put together from."""

import datetime as dt
import uuid
from decimal import Decimal
from fractions import Fraction

import lucide
import pytest
import time_machine
from django import forms
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.test import RequestFactory

from config import navigation
from config.lib.htmx import HtmxRedirectMiddleware, toast_fragment
from config.lib.ui import formats
from people.models import SavedView, User

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


def rendered(source, request=None, **context):
    return engines["django"].from_string("{% load keel %}" + source).render(context, request)


class FilterForm(forms.Form):
    q = forms.CharField(required=False, label="Search")
    tier = forms.ChoiceField(choices=[("", "any"), ("ruby", "Ruby")], required=False)


class NoteForm(forms.Form):
    note = forms.CharField(help_text="Why.", label="Note")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(43, 64), "67.2%"),
        (Fraction(4, 5), "80.0%"),
        (Decimal("0.7996"), "79.9%"),
        (Decimal("0.79999"), "79.9%"),
        (Fraction(35, 44), "79.5%"),
        (Fraction(999_999, 1_000_000), "99.9%"),
        (Fraction(1), "100.0%"),
        (Fraction(5, 4), "125.0%"),
        (0, "0.0%"),
        (None, "unknown"),
    ],
)
def test_a_share_never_reads_as_on_a_line_that_it_has_not_reached(share, text):
    assert formats.share_text(share) == text


@pytest.mark.parametrize(
    ("amount", "full", "short"),
    [
        (Decimal("412000.00"), "$412,000", "$412K"),
        (Decimal("49999.60"), "$49,999.60", "$50K"),
        (Decimal("999499"), "$999,499", "$999K"),
        (Decimal("999500"), "$999,500", "$1.0M"),
        (Decimal("1150000"), "$1,150,000", "$1.2M"),
        (950, "$950", "$950"),
        (Decimal("-5000"), "−$5,000", "−$5K"),  # noqa: RUF001
        (None, "unknown", "unknown"),
    ],
)
def test_money_in_full_and_for_lists(amount, full, short):
    assert formats.money_text(amount) == full
    assert formats.money_short_text(amount) == short


def test_money_of_another_currency_says_which():
    assert formats.money_text(Decimal(1200), "EUR") == "€1,200"
    assert formats.money_text(Decimal(1200), "CHF") == "CHF 1,200"


def test_points_have_a_sign_and_no_percent():
    assert formats.points_text(Fraction(1, 62)) == "+1.6"
    assert formats.points_text(Fraction(-1, 62)) == "−1.6"  # noqa: RUF001
    assert formats.points_text(Fraction(0)) == "0.0"


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ day|day }}", "20 Nov"),
        ("{{ day|day:'full' }}", "20 Nov 2026"),
        ("{{ old|day }}", "20 Nov 2025"),
        ("{{ day|weekday }}", "Fri 20 Nov"),
        ("{{ day|ago }}", "2 days ago"),
        ("{{ later|ago }}", "in 131 days"),
        ("{{ moment|moment }}", "today 02:10 UTC"),
        ("{{ moment|ago }}", "9 hours ago"),
        ("{{ nothing|ago }} {{ nothing|moment }} {{ nothing|day }}", "never never unknown"),
        ("{{ count|number }}", "1,012"),
    ],
)
def test_dates_and_numbers_as_filters(source, text):
    context = {
        "day": dt.date(2026, 11, 20),
        "old": dt.date(2025, 11, 20),
        "later": dt.date(2027, 4, 2),
        "moment": NOW.replace(hour=2, minute=10),
        "count": 1012,
        "nothing": None,
    }
    assert rendered(source, **context) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (dt.timedelta(seconds=30), "just now"),
        (dt.timedelta(minutes=1), "1 minute ago"),
        (dt.timedelta(minutes=-5), "in 5 minutes"),
        (dt.timedelta(days=29), "29 days ago"),
        (dt.timedelta(days=40), "13 Oct"),
    ],
)
def test_how_long_ago(ago, text):
    assert formats.ago_text(NOW - ago, NOW) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (59, "59 minutes"),
        (60, "1 hour"),
        (390, "6.5 hours"),
        (600, "10 hours"),
        (72_240, "1,204 hours"),
        (None, "unknown"),
    ],
)
def test_business_time(minutes, text):
    time = None if minutes is None else dt.timedelta(minutes=minutes, seconds=20)
    hours = None if minutes is None else Fraction(minutes, 60)

    assert formats.duration_text(time) == formats.hours_text(hours) == text


def test_an_icon_is_decoration_and_a_wrong_name_is_an_error():
    drawn = rendered("{% icon 'download' 's' %}")
    assert 'class="i i-s"' in drawn
    assert 'aria-hidden="true"' in drawn
    with pytest.raises(lucide.IconDoesNotExist):
        rendered("{% icon 'no-such-icon' %}")


def test_tags_escape_what_people_typed():
    drawn = rendered(
        "{% tag text %}{% who text %}{% stat text text text %}{% bar 1 label=text %}",
        text='<img src=x onerror="1">',
    )
    assert "<img" not in drawn


def test_a_rise_and_a_fall_are_said_in_words_too():
    assert "up </span>2.7 points" in rendered("{% delta d %}", d=Fraction(27, 1000))
    assert "down </span>2.7 points" in rendered("{% delta d %}", d=Fraction(-27, 1000))
    assert "down </span>12 seats" in rendered("{% delta d unit='seats' %}", d=-12)
    assert "no change" in rendered("{% delta d %}", d=Fraction(0))
    assert rendered("{% delta d %}", d=None) == ""


def test_nothing_is_wrapped_around_nothing():
    assert rendered("{% wrapped 'p' 'sub' %}  {% endwrapped %}") == ""
    assert rendered("{% wrapped 'p' 'sub' %}x{% endwrapped %}") == '<p class="sub">x</p>'


def test_a_field_is_tied_to_its_hint_and_its_error():
    form = NoteForm({})
    form.full_clean()
    drawn = rendered('{% include "components/field.html" with field=form.note %}', form=form)
    assert 'aria-describedby="id_note_hint id_note_error"' in drawn
    assert 'aria-invalid="true"' in drawn
    assert 'id="id_note_hint"' in drawn
    assert 'id="id_note_error"' in drawn
    assert "Fill in “Note”." in drawn


def test_the_error_summary_repeats_the_words_and_links_to_the_field():
    form = NoteForm({})
    form.full_clean()
    drawn = rendered('{% include "components/error_summary.html" with form=form %}', form=form)
    assert '<a href="#id_note">Fill in “Note”.</a>' in drawn
    assert 'role="alert"' in drawn


def test_sorting_keeps_the_filters_and_leaves_the_place_in_the_list():
    request = RequestFactory().get("/accounts/?tier=ruby&cursor=abc&sort=arr")
    drawn = rendered("{% sort_header 'arr' 'ARR' sort target='list' %}", request, sort="arr")
    assert 'href="?tier=ruby&amp;sort=-arr"' in drawn
    assert 'aria-sort="ascending"' in drawn
    assert 'hx-target="#list"' in drawn
    other = rendered("{% sort_header 'name' 'Name' sort %}", request, sort="arr")
    assert "aria-sort" not in other
    assert "hx-get" not in other


def test_the_filter_bar_keeps_what_it_does_not_ask_for():
    request = RequestFactory().get("/accounts/?tier=ruby&as_of=2026-11-20&cursor=abc")
    drawn = rendered("{% filter_bar form target='list' %}", request, form=FilterForm(request.GET))
    assert '<input type="hidden" name="as_of" value="2026-11-20">' in drawn
    assert 'href="?as_of=2026-11-20"' in drawn
    assert "abc" not in drawn
    assert '<option value="ruby" selected>' in drawn


def with_message(request, text):
    request.session = {}
    request._messages = FallbackStorage(request)
    messages.info(request, text)
    return request


def test_messages_reach_the_live_region_once():
    request = with_message(RequestFactory().get("/"), "Saved <b>it</b>.")
    drawn = toast_fragment(request)
    assert 'hx-swap-oob="innerHTML:#toast"' in drawn
    assert "Saved &lt;b&gt;it&lt;/b&gt;." in drawn
    assert request._messages.used


def test_without_messages_a_fragment_stays_as_it_is():
    request = RequestFactory().get("/")
    assert toast_fragment(request) == ""


def redirected(view, **headers):
    request = RequestFactory().get("/", headers=headers)
    return HtmxRedirectMiddleware(view)(request)


def test_htmx_follows_a_redirect_as_a_whole_page():
    response = redirected(lambda _: redirect("/there/"), hx_request="true")
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/there/"
    assert "Location" not in response
    assert redirected(lambda _: redirect("/there/")).status_code == 302


def test_after_signing_in_again_one_is_back_on_the_page_not_on_a_fragment():
    response = redirected(
        lambda _: redirect("/account/login/?next=/accounts/rows/"),
        hx_request="true",
        hx_current_url="https://keel.example/accounts/?tier=ruby",
    )
    assert response["HX-Redirect"] == "/account/login/?next=%2Faccounts%2F%3Ftier%3Druby"


def test_other_answers_pass_htmx_unchanged():
    assert redirected(lambda _: HttpResponse("x"), hx_request="true").content == b"x"


def context_of(user, path="/", **cookies):
    request = RequestFactory().get(path)
    request.user = user
    request.COOKIES.update(cookies)
    return navigation.navigation(request)


def user_with(*roles, theme="system"):
    user = User(pk=1, name="Ada Lovelace", email="ada@keel.example", theme=theme)
    user.__dict__.update(roles=frozenset(roles), visible_views=[])
    return user


def labels(context):
    return [e.label for section in context["navigation"].sections for e in section.entries]


def test_navigation_shows_what_the_roles_open():
    assert labels(context_of(user_with("tam"))) == [
        "My work",
        "Requests",
        "Board",
        "Projects",
        "Work at Risk",
        "Seats deployed",
        "Flip list",
        "Key figures",
        "Capacity",
        "Accounts",
        "Handbook",
        "API",
    ]
    assert "Settings" in labels(context_of(user_with("administrator")))
    assert "Imports" in labels(context_of(user_with("metric_owner")))
    nobody = context_of(user_with())
    assert labels(nobody) == []
    assert nobody["navigation"].search_url == ""
    assert [e.label for e in nobody["navigation"].account] == ["Change password"]


def test_navigation_marks_where_one_is():
    sections = context_of(user_with("tam"), "/accounts/ACC-12/")["navigation"].sections
    assert [e.label for s in sections for e in s.entries if e.current] == ["Accounts"]


def test_what_belongs_to_an_entry_is_shown_where_one_is():
    def within(path):
        sections = context_of(user_with("tam"), path)["navigation"].sections
        return {
            e.label: [(each.label, each.current) for each in e.within]
            for s in sections
            for e in s.entries
            if e.within or e.current
        }

    assert within("/board/") == {"Board": [("Reviews", False)]}
    assert within("/reviews/REV-1/") == {"Board": [("Reviews", True)]}
    assert within("/absences/") == {"Capacity": [("Time off", True)]}


def test_navigation_has_the_saved_views_and_marks_the_one_that_is_open():
    user = user_with("tam")
    views = [SavedView(uuid=uuid.uuid4(), page="accounts", name=f"View {n}") for n in range(9)]
    views.append(SavedView(uuid=uuid.uuid4(), page="nothing", name="Of a list that is gone"))
    user.__dict__["visible_views"] = views
    shown = context_of(user, f"/accounts/?saved={views[8].uuid}")["navigation"].sections
    entries = [e for s in shown if s.label == "Saved views" for e in s.entries]
    assert [e.label for e in entries] == [*(f"View {n}" for n in range(6)), "View 8", "All views"]
    assert [e.label for s in shown for e in s.entries if e.current] == ["View 8"]


def test_the_theme_comes_from_the_person_or_from_the_cookie_of_a_stranger():
    assert context_of(user_with("tam", theme="dark"))["theme"] == "dark"
    assert context_of(AnonymousUser(), theme="light")["theme"] == "light"
    assert context_of(AnonymousUser(), theme='"><script>')["theme"] == "system"
    assert context_of(AnonymousUser())["theme"] == "system"


@pytest.mark.urls("tests.urls_styleguide")
@pytest.mark.django_db
def test_every_component_can_be_drawn(login, tam):
    text = login(tam).get("/styleguide/?error=1&toast=1").content.decode()
    assert "<title>Error: Components · Keel</title>" in text
    assert 'aria-current="page"' in text
    assert "PRJ-96 moved to Ready" in text
