"""A board pack as people read it: the sections of the work, the data and the definitions."""

from fractions import Fraction

from config.lib.ui.formats import hours_text, points_text, share_text
from metrics.selectors import pack_words as words
from metrics.selectors.pack_blocks import Block, Facts, Row, Section, Text, table
from metrics.selectors.pack_words import Told, linked, plural

CLOCKS = {"routed": "Routed", "triaged": "Triaged", "delivered": "Delivered"}
DIGITS = 16
# Shares are kept with six decimals, cut off.
CUT = Fraction(1, 1_000_000)


def further_sections(told: Told) -> list[Section]:
    return [
        _requests(told["requests"]),
        _projects(told["projects"]),
        _risks(told["risks"]),
        _promises(told["promises"]),
        _figures(told),
        _quality(told["quality"]),
        _definitions(told["definitions"]),
        _sources(told),
    ]


def _requests(told: Told) -> Section:
    levels = told["levels"]
    rows = [
        ("Filed", f"{told['filed']:,}", ""),
        ("Delivered", f"{told['delivered']:,}", ""),
        ("From filed to signed off", words.hours(told["signed_off"]), _nine(told["signed_off"])),
        (
            "From filed to delivered",
            words.hours(told["time_to_delivered"]),
            _nine(told["time_to_delivered"]),
        ),
        (
            "Service levels met",
            share_text(Fraction(levels["met"], levels["decided"]))
            if levels["decided"]
            else "none due",
            _levels(levels),
        ),
    ]
    note = "Hours are business hours, without the time a request waits for an answer or is on hold."
    return Section("requests", "Service requests", [Facts(rows), Text(note)])


def _nine(told: Told) -> str:
    if told["nine_of_ten"] is None:
        return ""
    return f"nine of ten within {hours_text(Fraction(told['nine_of_ten']))}"


def _levels(levels: Told) -> str:
    parts = [words.of_text(levels["met"], levels["decided"])] if levels["decided"] else []
    parts += [
        f"{CLOCKS.get(each['clock'], each['clock']).lower()} "
        f"{words.of_text(each['met'], each['decided'])}"
        for each in levels["clocks"]
    ]
    if levels["running"]:
        parts.append(f"{levels['running']:,} still run")
    return ", ".join(parts)


def _projects(told: Told) -> Section:
    heading = "Projects delivered"
    if not told["projects"]:
        return Section("projects", heading, [Text("No project was delivered in the month.")])
    rows: list[Row] = [
        [
            linked(each["number"], f"{each['number']} {each['title']}"),
            words.short_day(each["delivered_on"]),
            "not told" if each["lift"] is None else f"{points_text(Fraction(each['lift']) / 100)}",
            "not told" if each["seats_expected"] is None else words.seats(each["seats_expected"]),
            _came(each),
            _passing(each),
        ]
        for each in told["projects"]
    ]
    columns = ["Project", "Delivered", "#Points expected", "#Seats expected", "#Seats so far",
               "#Accounts that pass"]  # fmt: skip
    note = (
        "Seats so far: deployed at its accounts on the last day of the month, less those on the "
        "day before the work began. Seats often come in the weeks after."
    )
    if told["count"] > len(rows):
        note = f"{plural(len(rows), 'project')} of {told['count']:,}. {note}"
    return Section("projects", heading, [table("Expected and come", columns, rows, note=note)])


def _came(each: Told) -> str:
    came = each["seats_came"]
    return "unknown" if came is None else f"{'+' if came > 0 else ''}{words.seats(came)}"


def _passing(each: Told) -> str:
    if not each["accounts"]:
        return "no account"
    before = "" if each["passed_then"] is None else f" (before: {each['passed_then']:,})"
    return f"{each['passing_now']:,} of {each['accounts']:,}{before}"


def _risks(told: Told) -> Section:
    blocks: list[Block] = []
    if told["open"]:
        owed = sum(each["owed"] for each in told["open"])
        text = (
            f"{plural(len(told['open']), 'request')} stood on a leader's word at the end of the "
            f"month: {plural(owed, 'sign-off')} owed, {_days(told['days'])} of work at stake."
        )
        blocks.append(Text(text, "warn" if owed else ""))
        blocks.append(_risk_table("Open at the end", told["open"]))
    else:
        blocks.append(Text("No work stood on a leader's word alone at the end of the month."))
    if told["granted"]:
        blocks.append(_risk_table("Granted in the month", told["granted"]))
    else:
        blocks.append(Text("None was granted in the month."))
    return Section("risks", "Work at Risk", blocks)


def _days(text: str) -> str:
    exact = Fraction(text)
    shown = f"{int(exact):,}" if exact.denominator == 1 else f"{float(exact):,.1f}"
    return f"{shown} {'day' if exact == 1 else 'days'}"


def _risk_table(caption: str, found: list[Told]) -> Block:
    rows: list[Row] = [
        [
            linked(each["request"], f"{each['request']} {each['title']}"),
            words.account(each),
            _days(each["days"]),
            f"{words.short_day(each['granted_on'])}, {each['granted_by']}",
            words.short_day(each["expires_on"]),
            _sign_off(each),
        ]
        for each in found
    ]
    columns = ["Request", "Account", "#At stake", "Granted", "Until", "Sign-off"]
    return table(caption, columns, rows)


def _sign_off(each: Told) -> str:
    if each["signed_on"]:
        return f"came {words.short_day(each['signed_on'])}"
    return "owed" if each["owed"] else "no longer owed"


def _promises(told: Told) -> Section:
    increments = told["increments"]
    blocks: list[Block] = [
        _late("Delivered late", "Delivered", told["late"], told["late_count"],
              "No request was delivered later than promised."),
        _late("Promised day passed, not delivered", "", told["owed"], told["owed_count"],
              "No promised day had passed without a delivery."),
    ]  # fmt: skip
    if increments["ended"]:
        blocks.append(
            Text(
                f"Increments: {words.of_text(increments['on_time'], increments['ended'])} projects "
                "were delivered by the last day of their increment."
            )
        )
    else:
        blocks.append(Text("No increment with a project ended in the month."))
    if increments["late"]:
        rows: list[Row] = [
            [
                linked(each["number"], f"{each['number']} {each['title']}"),
                each["increment"],
                words.short_day(each["ended_on"]),
            ]
            for each in increments["late"]
        ]
        blocks.append(table("Not on time", ["Project", "Increment", "Ended"], rows))
    return Section("promises", "Promises not kept", blocks)


def _late(caption: str, delivered: str, found: list[Told], count: int, nothing: str) -> Block:
    if not found:
        return Text(nothing)
    rows: list[Row] = [
        [
            linked(each["request"], f"{each['request']} {each['title']}"),
            words.account(each),
            words.short_day(each["due_on"]),
            *([words.short_day(each["on"])] if delivered else []),
            f"{each['days']:,}",
        ]
        for each in found
    ]
    columns = ["Request", "Account", "Promised", *([delivered] if delivered else []), "#Days late"]
    note = f"{len(found):,} of {count:,}." if count > len(found) else ""
    return table(f"{caption}: {plural(count, 'request')}", columns, rows, note=note)


def _figures(told: Told) -> Section:
    currency = told["currency"]
    rows = []
    for each in told["figures"]:
        run, before, unit = each["run"], each["before"], each["unit"]
        value, then = run and run["value"], before and before["value"]
        rows.append(
            [
                each["title"],
                words.value_text(value, unit, currency) if run else "not computed",
                _whole(run) if run and unit == "share" else "",
                words.change_text(value, then, unit, currency),
                f"{each['version']}" + (f", {run['revision']}" if run else ""),
            ]
        )  # fmt: skip
    if not rows:
        return Section("figures", "Other key figures", [Text("There are none.")])
    columns = ["Figure", "#Value", "#Of", "#Since the month before", "#Definition, revision"]
    windows = sorted({each["window_days"] for each in told["figures"] if each["window_days"]})
    note = (
        f"Figures of requests and projects are over the last {windows[0]} days."
        if len(windows) == 1
        else ""
    )
    caption = f"On {words.day(told['number']['day'])}"
    return Section("figures", "Other key figures", [table(caption, columns, rows, note=note)])


def _whole(run: Told) -> str:
    """Write what a share is of, where it is of the accounts or requests counted."""
    share, value = words.share_of(run), run["value"]
    if share is None or value is None or abs(share - Fraction(value)) >= CUT:
        return ""
    return words.of_text(run["numerator"], run["denominator"])


def _quality(told: Told) -> Section:
    nights = told["days"] - told["missing"]
    rows = [
        ("Days computed", words.of_text(nights, told["days"]),
         f"{plural(told['revised'], 'day')} revised by late facts" if told["revised"] else ""),
        ("Late seat counts", plural(told["late"], "account"),
         f"counted by a reading over {told['late_days']} days old"),
    ]  # fmt: skip
    blocks: list[Block] = [Facts(rows)]
    if told["late_by_source"]:
        lines = [
            [each["source"].replace("_", " ").capitalize(), f"{each['accounts']:,}",
             words.day(each["last"])]
            for each in told["late_by_source"]
        ]  # fmt: skip
        columns = ["Source", "#Accounts", "Last reading"]
        blocks.append(table("Late seat counts by source", columns, lines))
    for caption, name, nothing in (
        ("Unknown, in the number as not passing", "unknown", "No account is unknown."),
        ("Out of the number", "excluded", "No account is out of the number."),
        ("To be mended", "amiss", "Nothing is to be mended."),
    ):
        if told[name]:
            lines = [[each["label"], f"{each['accounts']:,}"] for each in told[name]]
            blocks.append(table(caption, ["Reason", "#Accounts"], lines))
        else:
            blocks.append(Text(nothing))
    blocks.append(_held(told["held"]))
    return Section("quality", "Data quality", blocks)


def _held(held: list[Told]) -> Block:
    if not held:
        return Text("No run of the month was held.")
    rows = [
        [
            f"{words.short_day(each['day'])}, revision {each['revision']}",
            " ".join(each["why"]),
            _published(each),
        ]
        for each in held
    ]
    return table("Held runs of the month", ["Run", "Why it was held", "What came of it"], rows)


def _published(each: Told) -> str:
    if each["published_at"]:
        by = f" by {each['published_by']}" if each["published_by"] else ""
        reason = each["reason"].rstrip()
        return f"Published{by}: “{reason}”" if reason else f"Published{by}."
    return "A later revision took its place." if each["replaced"] else "Still held."


def _definitions(found: list[Told]) -> Section:
    rows = [
        [
            each["title"],
            f"{each['version']}",
            words.day(each["valid_from"]),
            each["owner"],
            _changed(each),
        ]
        for each in found
    ]
    columns = ["Number", "#Version", "In force from", "Owner", "Since the month before"]
    return Section("definitions", "Definitions in force", [table("Definitions", columns, rows)])


def _changed(each: Told) -> str:
    if each["before"] is None:
        return "unchanged"
    parts = [f"{one['name']}: {one['then']} → {one['now']}" for one in each["changed"]]
    return f"was version {each['before']}. {'; '.join(parts)}".strip()


def _sources(told: Told) -> Section:
    rows = [
        [
            each["metric"],
            words.day(each["day"]),
            f"{each['version']}",
            f"{each['revision']}",
            each["digest"][:DIGITS],
        ]
        for each in told["runs"]
    ]
    columns = ["Metric", "Day", "#Definition", "#Revision", "Digest of its inputs"]
    text = (
        "Every number here stands in the ledger under its metric, day, definition and revision. "
        f"The command manage.py verify_pack {told['month']} works the digest of this report out "
        "again from the ledger, and says which of these runs were revised since."
    )
    runs = table(f"{plural(len(rows), 'run')} shown", columns, rows, is_small=True)
    return Section("sources", "Where this comes from", [Text(text), runs])
