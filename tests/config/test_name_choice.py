"""A filter by a name: a list while it is short, a text where it is long."""

import pytest
from django import forms

from config.lib.name_choice import MOST_OPTIONS, name_choice

FEW = [("k1", "Amara Obi"), ("none", "Nobody")]
MANY = [*FEW, *((f"p{n}", f"Person {n:03}") for n in range(MOST_OPTIONS))]


def bound(choices, value):
    class Filter(forms.Form):
        tam = name_choice("TAM")

    form = Filter({"tam": value})
    form.fields["tam"].offer([("", "Any"), *choices])
    return form


def test_few_are_a_list():
    form = bound(FEW, "k1")
    assert form.is_valid()
    assert str(form["tam"]).count("<option") == 3
    assert not bound(FEW, "Amara Obi").is_valid()


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [("k1", "k1"), (" amara OBI ", "k1"), ("obi", "k1"), ("none", "none"), ("nobody", "none"),
     ("person 007", "p7"), ("", "")],
)  # fmt: skip
def test_many_are_typed(typed, chosen):
    form = bound(MANY, typed)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["tam"] == chosen
    assert "<option" not in str(form["tam"])


def test_what_was_chosen_by_a_link_shows_its_name():
    assert bound(MANY, "k1")["tam"].value() == "Amara Obi"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("Zed", "“Zed” is in no name here."), ("person 00", "is in several names: Person 000, "),
     ("\0", "is in no name here."), ("x" * 5_000, "is in no name here.")],
)  # fmt: skip
def test_what_fits_nobody_or_several_says_so(typed, said):
    form = bound(MANY, typed)
    assert not form.is_valid()
    assert said in form.errors["tam"][0]
    assert len(form.errors["tam"][0]) < 300
