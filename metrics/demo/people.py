"""Who works at the demo company: at least one person of each role."""

from django.contrib.auth.hashers import make_password
from django.db import transaction

from people import services
from people.models import Role, User, system_user

DOMAIN = "demo.keel.example"
PASSWORD = "every-seat-deployed"  # noqa: S105 -- printed at the end of `demo`, and only there
# Name, role; the first of each role is the sign-in that is printed.
PEOPLE = (
    ("Amara Obi", Role.TAM),
    ("Jonas Weil", Role.TAM),
    ("Priya Raman", Role.TAM),
    ("Mateo Silva", Role.TAM),
    ("Lin Zhao", Role.TAM),
    ("Elif Kaya", Role.TAM),
    ("Petra Ruiz", Role.CSM),
    ("Daniel Osei", Role.CSM),
    ("Noor Haddad", Role.CRE),
    ("Leon Falk", Role.AE),
    ("Grace Lindholm", Role.AE),
    ("Ines Moreau", Role.SA),
    ("Sam Eriksen", Role.DE_ENGINEER),
    ("Yara Costa", Role.DE_ENGINEER),
    ("Ruth Adeyemi", Role.DE_LEAD),
    ("Ole Brandt", Role.DE_LEAD),
    ("Viktor Hale", Role.ENGINEERING_LEADERSHIP),
    ("Mina Sato", Role.SUPPORT_LEADERSHIP),
    ("Colm Brady", Role.PRODUCT_LEADERSHIP),
    ("Helena Marsh", Role.LEADERSHIP),
    ("Tariq Nasser", Role.METRIC_OWNER),
    ("Astrid Berg", Role.ADMINISTRATOR),
)


def email_of(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{DOMAIN}"


TAMS = {
    "EMEA": tuple(map(email_of, ("Amara Obi", "Jonas Weil", "Elif Kaya"))),
    "AMER": tuple(map(email_of, ("Priya Raman", "Mateo Silva"))),
    "APAC": (email_of("Lin Zhao"),),
}
CSMS = tuple(map(email_of, ("Petra Ruiz", "Daniel Osei")))
AES = tuple(map(email_of, ("Leon Falk", "Grace Lindholm")))


@transaction.atomic
def hire() -> dict[str, int]:
    """Add the people who are not there yet; return everybody's key by e-mail."""
    by = system_user()
    known = people_by_email()
    missing = [(name, role) for name, role in PEOPLE if email_of(name) not in known]
    for name, role in missing:
        services.create_user(email=email_of(name), name=name, roles=[role], by=by)
    if missing:
        # One hash for all: each would take as long as a sign-in.
        new = [email_of(name) for name, _ in missing]
        User.objects.filter(email__in=new).update(password=make_password(PASSWORD))
    return people_by_email()


def people_by_email() -> dict[str, int]:
    return dict(User.objects.filter(email__endswith=f"@{DOMAIN}").values_list("email", "pk"))


def sign_ins() -> str:
    """Return a table of one sign-in per role."""
    first: dict[str, str] = {}
    for name, role in PEOPLE:
        first.setdefault(role, name)
    rows = [("Role", "Name", "E-mail")]
    rows += [(str(Role(role).label), name, email_of(name)) for role, name in first.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", f"Password of everybody: {PASSWORD}"])
