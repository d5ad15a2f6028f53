"""Files that authors wrote who did not know the diagnosis: right ones pass, and of mistaken ones nothing false is said.

Each corpus has 20 right files and 50 mistaken ones. The first verdicts, before anything was mended by it:

                                     first   second   third   fourth   fifth
    right, and called right            13      12       15       16      16
    right, an abstract base unread      2       0        0        0       0
    right, and unread                   5       5        4        3       1
    right, and accused                  0       3        1        1       3
    mistake named or fairly described  31      36       38       33      34
    only a broken law said              4       5        4        3       2
    a false sentence                    2       2        4        3       4
    mistaken, and called right          5       3        2        3       6
    mistaken, and unread                8       4        2        8       4

From the fourth on, the place of a mistake that no belief explains counts as its description. Three are kept here.
"""

import pytest

from tests.diagnosis.conventions.corpus.reading import HandedIn, handed_in
from tests.diagnosis.conventions.test_conventions import beliefs, report_of

CORPORA = ("handed_in_first", "handed_in_second", "handed_in_third")
FILES = {f"{corpus} {one.name}": one for corpus in CORPORA for one in handed_in(corpus)}
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
    "07_sbn",
    "10_spatial",
    "14_hw1",
    "22_npml",
    "43_keras",
    "46_np_keras",
    "48_haiku",
    "52_flax",
    "57_bn_layer",
    "59_plain",
    "63_three",
    "64_running",
    "25_d2l",
    "28_bn_module",
    "65_micrograd",
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
    assert [one.name for one in right if one.said != ("right",)] == []
    wrong = [one for one in FILES.values() if one.cause.startswith("wrong")]
    little = {"unknown", "law-derivative", "right", "unreadable"}
    assert sum(bool(set(one.said) - little) for one in wrong) >= 0.83 * len(wrong)  # notes and differences come on top
