"""Keys of deliverables that never come back, and templates of SOWs to start from."""

from django.db import migrations, models

ONE_OFF = {
    "title": "",
    "deliverables": [
        {
            "key": "d1",
            "what": "Design of the solution, agreed with you",
            "detail": "Two pages: what it does, what it reads and writes, and how it fails.",
            "by_whom": "Deployment Engineering",
            "by_when": 5,
        },
        {
            "key": "d2",
            "what": "The solution, installed in your test environment",
            "detail": "Source code with tests and a README.",
            "by_whom": "Deployment Engineering",
            "by_when": 12,
        },
        {
            "key": "d3",
            "what": "Switch-over in production",
            "detail": "Together with your administrator, with a way back.",
            "by_whom": "Your administrator, with Deployment Engineering",
            "by_when": 16,
        },
        {
            "key": "d4",
            "what": "Runbook and one hand-over session",
            "detail": "How to run it, watch it and change its settings.",
            "by_whom": "Deployment Engineering",
            "by_when": 18,
        },
    ],
    "needs": [
        "A test environment like the one in production",
        "An administrator for about two hours a week",
        "Somebody who accepts the result",
    ],
    "in_scope": ["The systems and groups named above, in one production environment"],
    "out_of_scope": [
        "Changes to the product itself",
        "Other systems and environments than those named",
        "Running the solution after the hand-over",
    ],
    "acceptance": [
        "Each deliverable does in your environment what is written beside it",
        "Your administrator has followed the runbook once alone",
    ],
    "assumptions": [
        "Your environment runs a supported version of the product",
        "Changes in production are possible within the timeframe",
    ],
    "customer_owner": "",
    "timeframe": {"start": 0, "end": 18},
    "maintenance": {
        "owner": "customer",
        "depends_on_server_version": True,
        "text": "You host and maintain the solution. We fix defects that are found within 30 days "
        "after the hand-over. Check it before each upgrade of the server.",
    },
    "deemed_acceptance_days": None,
    "amount": "0.00",
    "currency": "USD",
}
NON_STANDARD = {
    "title": "",
    "deliverables": [
        {
            "key": "d1",
            "what": "Review of your environment and a written plan",
            "detail": "Architecture, sizing, order of the steps, and how to go back.",
            "by_whom": "Deployment Engineering",
            "by_when": 5,
        },
        {
            "key": "d2",
            "what": "Trial run in a test environment",
            "detail": "With a copy of your data, timed, and the plan corrected after it.",
            "by_whom": "Deployment Engineering, with your administrator",
            "by_when": 10,
        },
        {
            "key": "d3",
            "what": "Deployment or migration in production",
            "detail": "We guide and check each step; your administrator carries it out.",
            "by_whom": "Your administrator, with Deployment Engineering",
            "by_when": 15,
        },
        {
            "key": "d4",
            "what": "Follow-up after a week in use",
            "detail": "We look at the load and errors with you, and hand over to Support.",
            "by_whom": "Deployment Engineering",
            "by_when": 22,
        },
    ],
    "needs": [
        "Access to monitoring and logs of the environment",
        "A copy of the data for the trial run",
        "A maintenance window, agreed a week before",
        "Tested backups",
    ],
    "in_scope": ["One production environment and one test environment"],
    "out_of_scope": [
        "Operating your infrastructure",
        "Hardware, networks and licences of others",
        "Clean-up of data that is wrong at its source",
    ],
    "acceptance": [
        "All users sign in and find their data",
        "The load stays within the sizing of the plan for one week",
    ],
    "assumptions": [
        "Your infrastructure matches the plan before the trial run",
        "Your administrator is there during the maintenance window",
    ],
    "customer_owner": "",
    "timeframe": {"start": 0, "end": 22},
    "maintenance": {
        "owner": "customer",
        "depends_on_server_version": False,
        "text": "You run the environment. Support helps with the product as it is documented.",
    },
    "deemed_acceptance_days": None,
    "amount": "0.00",
    "currency": "USD",
}
CRITICAL = {
    "title": "",
    "deliverables": [
        {
            "key": "d1",
            "what": "Findings: what is slow or failing, and why",
            "detail": "Measured in your environment, with what shows it.",
            "by_whom": "Deployment Engineering",
            "by_when": 2,
        },
        {
            "key": "d2",
            "what": "Immediate measures, applied",
            "detail": "Each can be undone, and each is measured before and after.",
            "by_whom": "Your administrator, with Deployment Engineering",
            "by_when": 4,
        },
        {
            "key": "d3",
            "what": "Report with lasting measures in order of their effect",
            "detail": "Including what belongs to the product and was handed to R&D.",
            "by_whom": "Deployment Engineering",
            "by_when": 8,
        },
    ],
    "needs": [
        "Access to metrics, logs and the configuration on the first day",
        "An administrator who may change the configuration",
    ],
    "in_scope": ["The environment and the problem named in the support ticket"],
    "out_of_scope": [
        "Changes to the product itself: they are handed to R&D",
        "Standing by outside business hours",
    ],
    "acceptance": ["The figure named in the ticket is back below its limit for three days"],
    "assumptions": ["Support keeps the conversation in the ticket with you"],
    "customer_owner": "",
    "timeframe": {"start": 0, "end": 8},
    "maintenance": {
        "owner": "customer",
        "depends_on_server_version": True,
        "text": "You keep the settings. Check them again before the next upgrade of the server.",
    },
    "deemed_acceptance_days": None,
    "amount": "0.00",
    "currency": "USD",
}
TEMPLATES = (
    ("One-off script, plugin or integration", "one_off", ONE_OFF),
    ("Non-standard deployment or migration", "non_standard", NON_STANDARD),
    ("Critical problem: find and fix", "critical", CRITICAL),
)


def ship(apps, _schema):
    template = apps.get_model("engagements", "SowTemplate")
    for name, type_, content in TEMPLATES:
        template.objects.get_or_create(name=name, defaults={"type": type_, "content": content})


class Migration(migrations.Migration):
    dependencies = [("engagements", "0005_held_links")]

    operations = [
        migrations.AddField("sowversion", "keys_used", models.PositiveIntegerField(default=0)),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
