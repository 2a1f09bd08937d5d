"""What happened to projects, in sentences: no verb of the log is shown as it is."""

import re
from pathlib import Path

import pytest

from projects import services
from projects.views.sentences import SENTENCES
from projects.workflows import PROJECT
from tests import factories
from tests.projects.ready import Stage, given

VERBS = sorted(
    {
        verb
        for path in Path("projects/services").glob("*.py")
        for verb in re.findall(r'"(project\.[a-z_]+)"', path.read_text())
    }
    | {f"project.{each.done}" for each in PROJECT.transitions}
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_sentence(verb):
    assert verb in SENTENCES


@pytest.mark.django_db
def test_a_project_of_several_accounts_is_on_the_timeline_of_each(login, tam):
    stage = Stage()
    other = factories.AccountFactory()
    stage.project.account_links.create(account=other)
    services.move(stage.project, "ready", by=stage.lead, at=stage.now, given=given())
    for account in (stage.account, other):
        text = login(tam).get(f"/accounts/{account.number}/timeline/?show=work").content.decode()
        assert f"{stage.lead.name} moved {stage.project.number} to ready" in text
        assert f'href="/projects/{stage.project.number}/"' in text
