"""The accounts somebody looked at last, kept in their session: keys only, the newest first."""

from django.contrib.sessions.backends.base import SessionBase

KEY = "recent_accounts"
MOST = 6


def note(session: SessionBase, account_id: int) -> None:
    """Remember it; looking twice at the same one writes nothing."""
    before = recent_ids(session)
    if before[:1] != [account_id]:
        session[KEY] = [account_id, *(pk for pk in before if pk != account_id)][:MOST]


def recent_ids(session: SessionBase) -> list[int]:
    found = session.get(KEY, [])
    return [pk for pk in found if isinstance(pk, int)] if isinstance(found, list) else []
