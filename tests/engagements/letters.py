"""The mails that are on their way, read out of the outbox."""

import json
import re

from config.lib import crypto
from events.models import OutboxMessage

TOKEN = re.compile(r"/s/([A-Za-z0-9_-]{43})/")
CODE = re.compile(r"^([0-9]{6})$", re.MULTILINE)


def letters(to=""):
    """Return the mails in the outbox, oldest first, as dicts; to one address only."""
    rows = OutboxMessage.objects.filter(topic="email").order_by("pk")
    found = [json.loads(crypto.decrypt(bytes(row.payload))) for row in rows]
    return [mail for mail in found if not to or mail["to"] == to]


def tokens(to=""):
    """Return the tokens of the links mailed, oldest first."""
    return [match[1] for mail in letters(to) if (match := TOKEN.search(mail["body"]))]


def codes(to=""):
    return [match[1] for mail in letters(to) if (match := CODE.search(mail["body"]))]
