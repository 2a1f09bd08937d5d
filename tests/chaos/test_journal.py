"""Whether the harness can see what is missing: its counters, without anything to kill."""

from chaos.journal import ACKNOWLEDGED, INVOKED, Journal, counted, table_of


def test_what_was_acknowledged_and_is_not_there_is_lost():
    found = counted("mails", ["a", "b", "c"], ["a", "b"], ["b"])
    assert (found.lost, found.unexpected, found.is_sound) == (1, 0, False)


def test_what_nobody_asked_for_is_unexpected():
    found = counted("mails", ["a"], ["a"], ["a", "z"])
    assert (found.lost, found.unexpected, found.is_sound) == (0, 1, False)


def test_what_was_not_answered_may_be_there_or_not():
    there = counted("mails", ["a", "b"], ["a"], ["a", "b"])
    gone = counted("mails", ["a", "b"], ["a"], ["a"])
    assert there.recovered == 1
    assert gone.recovered == 0
    assert there.is_sound
    assert gone.is_sound


def test_twice_is_counted_and_no_loss():
    found = counted("mails", ["a"], ["a"], ["a", "a", "a"])
    assert found.duplicated == 2
    assert found.is_sound


def test_a_journal_is_read_as_it_lies_on_the_disk(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.note(INVOKED, "first of all")
    journal.note(ACKNOWLEDGED, "first of all")
    journal.note(INVOKED, "second")

    found = Journal(tmp_path / "journal").counted("writes", ["first of all"])

    assert (found.attempts, found.acknowledged, found.lost) == (2, 1, 0)


def test_the_table_names_each_stream():
    lines = table_of([counted("nights", ["d"], ["d"], ["d"])]).splitlines()
    assert lines[0].split()[:3] == ["stream", "attempts", "acked"]
    assert lines[1].split()[0] == "nights"
