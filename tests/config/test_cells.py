import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.lib.cells import neutralised, restored


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_could_run_as_a_formula_gets_an_apostrophe(start):
    assert neutralised(f"{start}cmd|'/c calc'!A1") == f"'{start}cmd|'/c calc'!A1"


@pytest.mark.parametrize("text", ["Acme", "'quoted'", "1-2", "", " =1", "a=b"])
def test_other_text_stays(text):
    assert neutralised(text) == text
    assert restored(text) == text


@given(st.text(alphabet="'=+-@\t\ra ", max_size=6) | st.text())
def test_the_way_back_gives_exactly_what_went_out(text):
    assert restored(neutralised(text)) == text
