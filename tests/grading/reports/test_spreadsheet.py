import pytest

from bncourse.grading.reports.spreadsheet import as_meant, csv_bytes, safe


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert safe(text) == f"'{text}" and as_meant(safe(text)) == text


def test_a_table_is_csv_without_formulas() -> None:
    assert csv_bytes(["id", "points"], [["ann", 2.0], ["=1,2", -0.5]]) == b'id,points\nann,2\n"\'=1,2",-0.5\n'
