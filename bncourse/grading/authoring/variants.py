"""A master's text and a year's name in; the same master with other numbers, seeds and order of options out.

Three things change, and nothing else, so that points, cells and rubrics stay:

- **words** that the master's front matter lists under `varies`: what stands in the text and the code, and then what may
  stand there instead, chosen by the year, so that two years in a row never share numbers;
- **seeds** in test cells, wherever they are written as `seed=7`, `default_rng(7)` or `for seed in (7, 8)`;
- **the order of the options** of a prediction, and with it the letter in the solution, but where the cell says
  `"order": "fixed"`.
"""

import itertools
import random
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from bncourse.grading.core.seeds import SEEDS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_OPTION = re.compile(r'^- `"([a-z])"`: (.*)$', re.MULTILINE)
_PREDICTION = re.compile(r'(\bprediction_\d+ = ")([a-z])(")')
_STRIDE = 1000
"""Seeds of two years lie so far apart; a master's own lie closer together."""


class VariantError(ValueError):
    """A name that is none, or a list of words that does not fit its master, and why."""


def check_name(variant: str) -> str:
    """Return the name, which may be a year or any short word.

    Raises
    ------
    VariantError
        If it is something else.
    """
    if not _NAME.fullmatch(variant):
        raise VariantError(
            f"The variant {variant!r} is no name. Expected up to 32 letters, digits and dashes, such as 2027."
        )
    return variant


def check_words(varies: Any, sources: Mapping[str, str]) -> None:
    """See whether the words that a master lists stand in the cells that it names.

    Parameters
    ----------
    varies : list of dict
        Each with `cells`, a list of grade_ids, and `words`: what stands there, and the alternatives.
    sources : mapping
        Each cell's text by its grade_id.

    Raises
    ------
    VariantError
        Naming the words and what is wrong with them.
    """
    if not isinstance(varies, list) or not all(isinstance(entry, dict) for entry in varies):
        raise VariantError("varies is not a list of mappings. Expected entries such as {cells: [a], words: [1, 2]}.")
    for entry in varies:
        cells, words = entry.get("cells"), entry.get("words")
        if set(entry) != {"cells", "words"} or not isinstance(cells, list) or not isinstance(words, list):
            raise VariantError(f"varies has the entry {entry!r}. Expected cells and words, each a list.")
        if not all(isinstance(word, str) and word for word in words) or len(words) < 2 or words[0] in words[1:]:
            raise VariantError(f"varies has the words {words!r}. Expected a text in quotes, and others in its place.")
        if len(words) != len(varies[0]["words"]):
            raise VariantError(f"varies has {len(words)} words in {words!r}, but {len(varies[0]['words'])} before.")
        for name in cells:
            if not _pattern([words[0]]).search(sources.get(name, "")):
                raise VariantError(f"varies: {words[0]!r} does not stand in the cell {name!r}.")


def varied(cells: Sequence[tuple[str, str, str, bool]], varies: Sequence[Mapping[str, Any]], variant: str) -> list[str]:
    """Each cell's text in another year.

    Parameters
    ----------
    cells : sequence of (grade_id, kind, source, fixed)
        The master's cells in order; `fixed` says that the order of the options stays.
    varies : sequence of mapping
        The master's list of words, as `check_words` wants it.
    variant : str
        The year, or another name.
    """
    year = int(variant) if variant.isdigit() else zlib.crc32(variant.encode())
    letters: dict[str, str] = {}
    sources = []
    for name, kind, source, fixed in cells:
        found = {entry["words"][0]: entry["words"] for entry in varies if name in entry["cells"]}
        source = _with_other_words(source, {old: words[1 + year % (len(words) - 1)] for old, words in found.items()})
        if kind == "test":
            source = SEEDS.sub(lambda seeds: _moved(seeds[0], year), source)
        elif kind == "text" and _OPTION.search(source):
            letters = {} if fixed else _new_letters(source, f"{variant} {name}")
            source = _in_new_order(source, letters)
        elif kind == "answer" and letters:
            source = _with_new_letter(source, letters)
            letters = {}
        sources.append(source)
    return sources


def _with_other_words(source: str, words: Mapping[str, str]) -> str:
    """All at once, so that no new word is taken for an old one."""
    return _pattern(words).sub(lambda word: words[word[0]], source) if words else source


def _pattern(words: Mapping[str, str] | Sequence[str]) -> re.Pattern[str]:
    """The words as they stand, and not inside of a longer word or number."""
    parts = []
    for word in sorted(words, key=len, reverse=True):
        before = r"(?<![\w.])" if word[0].isdigit() else r"(?<!\w)" if word[0].isalpha() else ""
        after = r"(?!\w|\.\d)" if word[-1].isalnum() else ""
        parts.append(before + re.escape(word) + after)
    return re.compile("|".join(parts))


def _with_new_letter(source: str, letters: Mapping[str, str]) -> str:
    return _PREDICTION.sub(lambda part: part[1] + letters.get(part[2], part[2]) + part[3], source)


def _moved(seeds: str, year: int) -> str:
    return re.sub(r"\d+", lambda seed: str(int(seed[0]) + _STRIDE * (year % 1_000_000)), seeds)


def _new_letters(source: str, key: str) -> dict[str, str]:
    """The new letter of each option."""
    old = [letter for letter, _ in _OPTION.findall(source)]
    orders = list(itertools.permutations(old))
    order = orders[random.Random(zlib.crc32(key.encode())).randrange(len(orders))]  # noqa: S311  (no secret)
    return dict(zip(order, old, strict=True))


def _in_new_order(source: str, letters: Mapping[str, str]) -> str:
    if not letters:
        return source
    texts = {letters[letter]: text for letter, text in _OPTION.findall(source)}
    return _OPTION.sub(lambda option: f'- `"{option[1]}"`: {texts[option[1]]}', source)
