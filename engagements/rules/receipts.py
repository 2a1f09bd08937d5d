"""Receipt codes, by which anybody who holds one can check what was agreed to. Pure."""

import re
import secrets

# No letter or digit that is taken for another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 4, 4
_CODE = re.compile(rf"[{ALPHABET}]{{{GROUP}}}(?:-[{ALPHABET}]{{{GROUP}}}){{{GROUPS - 1}}}")


def new_receipt() -> str:
    """Return a code of 78 random bits, such as K7QF-2M9X-RT4B-WD3H."""
    letters = [secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(letters[at : at + GROUP]) for at in range(0, len(letters), GROUP))


def read_receipt(text: str) -> str:
    """Return the code as it is stored, or "" where it cannot be one."""
    bare = "".join(letter for letter in text.upper() if letter.isalnum())
    code = "-".join(bare[at : at + GROUP] for at in range(0, len(bare), GROUP))
    return code if _CODE.fullmatch(code) else ""


def initials_of(name: str) -> str:
    """Return "K. S." for "Kari Solberg": what a stranger with the code may know of a person."""
    words = [word for word in name.split() if word[:1].isalpha()]
    return " ".join(f"{word[0].upper()}." for word in (words[:1] + words[1:][-1:]))
