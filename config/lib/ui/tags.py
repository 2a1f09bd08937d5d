"""Template library `keel`: what pages are put together from.

Shares are ratios (0..1) or None, ticks and targets whole percents, money is Decimal.
What is not known prints as "unknown", never as nothing and never as 0.

Inline

    {% icon "download" %} {% icon "chevron-right" "s" %}
    {% tag "Stale" "warn" "triangle-alert" %}      tones: good warn bad info violet line
    {% avatar user %} {% who user "TAM" %}
    {% delta difference %} {% delta 12 unit="seats" %}
    {% stat "Seats to go" "108" "to reach 1,120" "warn" %}     inside <dl class="stats">

Charts (see `config.lib.ui.charts`)

    {% bar share tick=80 tone="warn" label="" %}
    {% units passing near other unknown target=75 target_text="Target 75%" line=80 %}
    {% trend points label="…" target=75 markers=markers name="trend" %}
    {% beside solid dashed label="…" solid_text="Definition 1" dashed_text="as proposed" %}
    {% steps points label="…" name="seats" %}
    {% pips 3 of=4 label="Impact high" %}         so many of a few small bars
    {% waterfall step.start step.end low=low high=high tone=step.tone %}   in a <td class="wfc">

Lists

    {% filter_bar form target="list" %}            a Django form read from the query
    {% sort_header "arr" "ARR" sort numeric=True target="list" %}
    {% pick "account" "ACC-12" "Halden" %}         ticks a row, in <td class="pick">

Panels

    {% wrapped "p" "sub" %}…{% endwrapped %}       no element where it is empty
    {% drawer "definition" "How this number is defined" %}…{% enddrawer %}
    {% dialog "revoke" "Revoke this token" %}…{% enddialog %}
    opened by <button type="button" data-open="definition">, closed by data-close

Filters

    share points money money_short number day weekday moment ago
    start|days_to:end   "16 to 29 Nov"
    markdown            what people wrote, as safe HTML

Includes under templates/components/ say at their top what they take.
"""

import secrets
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, Field
from django.http import HttpRequest, QueryDict
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.lib.markdown import markdown as markdown_html
from config.lib.ui import charts, formats, times
from config.lib.ui import icons as icon_set

register = template.Library()
for _show in times.FILTERS:
    register.filter(_show)

# What says where in a list one is; meaningless once its order or filters change.
POSITION = ("after", "before", "cursor", "page")
AVATAR_TONES = ("", "b", "c", "d", "e")
NO_CHANGE = SafeString('<span class="delta dim">no change</span>')
# Class of the control by its input type; radios and checkboxes are styled as a group.
CONTROLS = {"select": "sel", "radio": "", "checkbox": "", "checkboxes": ""}


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    return icon_set.icon(name, size)


@register.simple_tag
def tag(text: object, tone: str = "", icon_name: str = "") -> SafeString:
    return format_html(
        '<span class="tag{}">{}{}</span>',
        f" {tone}" if tone else "",
        icon_set.icon(icon_name) if icon_name else "",
        text,
    )


@register.simple_tag
def delta(difference: Any, unit: str = "points") -> SafeString:
    """A difference with its arrow and colour; of two shares where the unit is points."""
    if difference is None:
        return SafeString("")
    if not difference:
        return NO_CHANGE
    text = formats.points_text(difference) if unit == "points" else formats.signed(difference)
    if difference > 0:
        tone, drawn, word = "good", icon_set.icon("arrow-up", "s"), "up"
    else:
        tone, drawn, word = "bad", icon_set.icon("arrow-down", "s"), "down"
    return format_html(
        '<span class="delta {}">{}<span><span class="vh">{} </span>{} {}</span></span>',
        tone,
        drawn,
        word,
        text.lstrip(f"+{formats.MINUS}"),
        unit.removesuffix("s") if unit != "points" and abs(difference) == 1 else unit,
    )


@register.simple_tag
def stat(label: str, value: object, note: object = "", tone: str = "") -> SafeString:
    small = (
        format_html('<small class="{}">{}</small>', tone, note)
        if tone
        else format_html("<small>{}</small>", note)
    )
    return format_html("<div><dt>{}</dt><dd>{}{}</dd></div>", label, value, small if note else "")


def _name(person: object) -> str:
    full_name = getattr(person, "get_full_name", None)
    name = full_name() if full_name else getattr(person, "name", "")
    return name or str(person)


@register.simple_tag
def avatar(person: object) -> SafeString:
    """The initials in a circle; decoration, the name stands beside it or in a label."""
    words = _name(person).partition("@")[0].replace(".", " ").split()
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
    tone = AVATAR_TONES[sum(map(ord, initials)) % len(AVATAR_TONES)]
    return format_html(
        '<span class="ava{}" aria-hidden="true">{}</span>',
        f" {tone}" if tone else "",
        initials,
    )


@register.simple_tag
def who(person: object, note: str = "") -> SafeString:
    return format_html(
        '<span class="who">{}<span class="trunc">{}{}</span></span>',
        avatar(person),
        _name(person),
        format_html(' <span class="dim">{}</span>', note) if note else "",
    )


@register.simple_tag
def bar(
    share: formats.Ratio | None,
    tick: int | None = 80,
    tone: str = "",
    height: int = charts.BAR_HEIGHT,
    label: str = "",
) -> SafeString:
    return charts.bar(share, tick=tick, tone=tone, height=height, label=label)


@register.simple_tag
def units(  # noqa: PLR0913, PLR0917 - template tags take their arguments by name
    passing: int,
    near: int,
    other: int,
    unknown: int = 0,
    target: int | None = None,
    target_text: str = "",
    line: int = 80,
    near_text: str = "within 5 points",
) -> SafeString:
    return charts.units(
        [
            charts.Part("ok", passing, f"at {line}% or more"),
            charts.Part("near", near, near_text),
            charts.Part("u", other, "further away"),
            charts.Part("unk", unknown, "unknown"),
        ],
        target=target,
        target_text=target_text,
    )


register.simple_tag(charts.pips, name="pips")
register.simple_tag(charts.trend, name="trend")
register.simple_tag(charts.beside, name="beside")
register.simple_tag(charts.steps, name="steps")
register.simple_tag(charts.waterfall, name="waterfall")


@register.simple_tag
def pick(name: str, value: str, label: str) -> SafeString:
    """The box that ticks a row of a list; static/keel/lists.js and the bar of the list know it."""
    return format_html(
        '<input type="checkbox" name="{}" value="{}" aria-label="Select {}">', name, value, label
    )


@register.simple_block_tag
def wrapped(content: SafeString, element: str, css: str, label: str = "") -> SafeString:
    """The element around its content; nothing at all where the content is empty."""
    if not content.strip():
        return SafeString("")
    named = format_html(' aria-label="{}"', label) if label else ""
    return format_html('<{0} class="{1}"{2}>{3}</{0}>', element, css, named, content)


@register.simple_tag
def widget(field: BoundField, hint: str = "") -> SafeString:
    """The field's control, tied to the hint and error that components/field.html shows."""
    described = [f"{field.auto_id}_hint"] if hint or field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}_error")
    attrs: dict[str, str | bool] = {}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if css := CONTROLS.get(_input_type(field), "inp"):
        attrs["class"] = css
    if "placeholder" in field.field.widget.attrs:
        # The label says it, and does not vanish while one types.
        attrs["placeholder"] = ""
    return field.as_widget(attrs=attrs)


@register.simple_tag
def once() -> SafeString:
    """A field that lets the form have one effect, however often it is sent: people.writing."""
    return format_html('<input type="hidden" name="once" value="{}">', secrets.token_urlsafe(16))


@register.filter
def input_type(field: BoundField) -> str:
    """ "radio", "checkbox", "checkboxes", "select", "text", "textarea" …"""
    return _input_type(field)


@register.filter
def complaints(field: BoundField) -> list[str]:
    """The field's errors; one that is only missing is named, for the summary lists many."""
    missing = Field.default_error_messages["required"]
    verb = "Choose" if _input_type(field) in CONTROLS else "Fill in"
    return [f"{verb} “{field.label}”." if e == missing else str(e) for e in field.errors]


def _input_type(field: BoundField) -> str:
    kind = getattr(field.field.widget, "input_type", "textarea")
    return "checkboxes" if kind == "checkbox" and field.use_fieldset else kind


@register.simple_block_tag
def drawer(content: SafeString, id: str, title: str) -> SafeString:  # noqa: A002
    return _dialog("drawer", content, id, title)


@register.simple_block_tag
def dialog(content: SafeString, id: str, title: str) -> SafeString:  # noqa: A002
    return _dialog("modal", content, id, title)


def _dialog(css: str, content: SafeString, name: str, title: str) -> SafeString:
    return format_html(
        '<dialog class="{0}" id="{1}" aria-labelledby="{1}-title">'
        '<header><h2 id="{1}-title">{2}</h2>'
        '<button class="btn btn-g btn-i push" type="button" data-close '
        'aria-label="Close">{3}</button></header><div>{4}</div></dialog>',
        css,
        name,
        title,
        icon_set.icon("x"),
        content,
    )


def _query(context: Context) -> QueryDict:
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name in POSITION:
        query.pop(name, None)
    return query


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(
    context: Context,
    name: str,
    label: str,
    current: str | None,
    target: str = "",
    css: str = "",
    *,
    numeric: bool = False,
) -> dict[str, Any]:
    """A column heading that sorts: up first, then down; `current` is "arr" or "-arr"."""
    query = _query(context)
    query["sort"] = f"-{name}" if current == name else name
    directions = {name: "ascending", f"-{name}": "descending"}
    return {
        "name": name,
        "label": label,
        "url": f"?{query.urlencode()}",
        "direction": directions.get(current or ""),
        "target": target,
        "css": " ".join(part for part in ("n" if numeric else "", css) if part),
    }


@register.inclusion_tag("components/filter_bar.html", takes_context=True)
def filter_bar(context: Context, form: BaseForm, target: str = "") -> dict[str, Any]:
    """The form's fields as chips that write the query; what else it holds is kept."""
    query = _query(context)
    set_fields = [name for name in form.fields if any(query.getlist(name))]
    kept = [
        (name, value)
        for name, values in query.lists()
        if name not in form.fields
        for value in values
    ]
    for name in form.fields:
        query.pop(name, None)
    return {
        "form": form,
        "action": context["request"].path,
        "target": target,
        "kept": kept,
        "set_fields": set_fields,
        "clear_url": f"?{query.urlencode()}",
    }


@register.filter
def share(value: formats.Ratio | None) -> str:
    return formats.share_text(value)


@register.filter
def points(value: formats.Ratio | None) -> str:
    return formats.points_text(value)


@register.filter
def lift(value: Decimal | None) -> str:
    return formats.lift_text(value)


@register.filter
def money(value: Decimal | int | None, currency: str = "USD") -> str:
    return formats.money_text(value, currency)


@register.filter
def money_short(value: Decimal | int | None, currency: str = "USD") -> str:
    return formats.money_short_text(value, currency)


@register.filter
def number(value: int | Decimal | None) -> str:
    return formats.number_text(value)


@register.filter
def days(value: Decimal) -> str:
    """Days of work: "3.5"."""
    return formats.days_number(value)


@register.filter
def markdown(text: str) -> SafeString:
    return markdown_html(text)
