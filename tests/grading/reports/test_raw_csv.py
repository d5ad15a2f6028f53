import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bncourse.grading.authoring.course import CourseError
from bncourse.grading.reports.raw_csv import RawCsv

TABLES = st.lists(st.lists(st.text(st.characters(blacklist_categories=["Cs"])), min_size=2, max_size=4), min_size=1)


@given(table=TABLES, quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), end=st.sampled_from(["\n", "\r\n"]))
def test_cells_are_read_as_python_reads_them_and_nothing_changes_by_itself(
    table: list[list[str]], quoting: int, end: str
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=quoting, lineterminator=end).writerows([["a", "b,c"], *table])  # type: ignore[arg-type]
    text = file.getvalue()
    read = RawCsv(text.encode(), "x.csv")
    assert [[cell.value for cell in row] for row in read.rows] == list(csv.reader(io.StringIO(text, newline="")))
    assert read.changed({}) == text.encode()


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_one_cell_changes_and_no_other_byte(mark: bytes) -> None:
    encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark, "utf-8")
    text = 'Student\tx\r\n"Kim ""K"" Lee"\t"1"\r\n王小明\t\r\n'
    read = RawCsv(mark + text.encode(encoding), "x.csv")
    assert read.rows[1][0].value == 'Kim "K" Lee'
    assert read.changed({(1, 1): "33", (2, 1): "2,5"}) == mark + text.replace('"1"', '"33"').replace(
        "王小明\t", "王小明\t2,5"
    ).encode(encoding)


def test_a_comma_in_a_mark_is_quoted_where_commas_separate() -> None:
    assert RawCsv(b"a,b\n1,2\n", "x").changed({(1, 1): "3,5"}) == b'a,b\n1,"3,5"\n'


def test_another_encoding_is_refused() -> None:
    with pytest.raises(CourseError, match=r"x\.csv is not UTF-8"):
        RawCsv("Müller".encode("latin-1"), "x.csv")
