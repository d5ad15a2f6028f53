"""Files that authors wrote who did not know the diagnosis: right ones pass, and of mistaken ones nothing false is said.

The first verdicts, before anything was mended, were these. Of the first corpus (20 right files, 50 mistaken) no right
one was accused and five could not be read; 31 mistakes were named or fairly described, of four only a broken law was
said, two sentences were false, five files were called right and eight could not be read.
"""

import pytest

from tests.diagnosis.conventions.corpus.reading import HandedIn, handed_in
from tests.diagnosis.conventions.test_conventions import beliefs, report_of

FILES = {f"{corpus} {one.name}": one for corpus in ("handed_in_first",) for one in handed_in(corpus)}
KINDS = (
    "01_stax",
    "04_numpy_keras",
    "06_dnn_utils",
    "20_tiny_bn",
    "25_ema",
    "42_functional",
    "46_mytorch",
    "50_bn_dlfs",
    "52_conv",
    "57_cs231n",
)
"""One of each kind that the first verdicts taught."""


def check(one: HandedIn) -> None:
    report = report_of(one.source)
    assert (beliefs(report) or (report["status"],)) == one.said, one.cause


@pytest.mark.parametrize("name", [name for name in FILES if name.split()[1].startswith(KINDS)])
def test_what_is_said_of_a_file_of_each_kind(name: str) -> None:
    check(FILES[name])


@pytest.mark.long
@pytest.mark.parametrize("name", FILES)
def test_what_is_said_of_every_file(name: str) -> None:
    check(FILES[name])


def test_right_files_pass_and_mistaken_ones_are_named() -> None:
    right = [one for one in FILES.values() if one.cause.startswith("right")]
    assert {one.name: one.said for one in right if one.said != ("right",)} == {}
    wrong = [one for one in FILES.values() if one.cause.startswith("wrong")]
    little = {"unknown", "law-derivative", "right", "unreadable"}
    assert sum(bool(set(one.said) - little) for one in wrong) >= 0.8 * len(wrong)
