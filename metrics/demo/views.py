"""The saved views of the demo company: two of the team, one of a TAM."""

import datetime as dt

from metrics.demo.people import email_of
from people.models import SavedView, User
from people.services import saved_views

PAGE = SavedView.Page.ACCOUNTS
# Whose, the name, the query, the columns, whether it is the team's.
VIEWS = (
    (
        "Helena Marsh",
        "Renewing below 80%",
        "view=renewal&standing=below&sort=renewal",
        ("renewal", "arr", "share", "to_go", "tam"),
        True,
    ),
    ("Helena Marsh", "Close to 80%, by ARR", "view=near&sort=-arr", (), True),
    (
        "Amara Obi",
        "Mine below 80%",
        "view=mine&standing=below&sort=to_go",
        ("to_go", "share", "arr", "renewal"),
        False,
    ),
)


def keep(*, at: dt.datetime) -> None:
    for name, title, query, columns, is_team in VIEWS:
        saved_views.create_view(
            page=PAGE,
            name=title,
            query=query,
            columns=columns,
            is_team=is_team,
            by=User.objects.get(email=email_of(name)),
            at=at,
        )
