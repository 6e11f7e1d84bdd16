"""Splits texts into words for comparisons; in scripts without spaces each character, with its marks, is a word."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

# Thai, Lao, Tibetan, Myanmar, Khmer, kana (also half-width), Han with its signs (々), as ranges of a character class.
NO_SPACES = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
NO_SPACE = re.compile(f"[{NO_SPACES}]")
# Their full-width punctuation, which also separates names without a space.
WIDE_PUNCTUATION = "\u3001-\u3004\u3008-\u3020\u3030\u303d\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
# Korean syllables: a name and its particle form one word.
SYLLABLES = "\uac00-\ud7a3"
SYLLABLE = re.compile(f"[{SYLLABLES}]")
WORD = re.compile(r"\w+")
# Combining characters: vowel signs, tones, sound marks. In Unicode, the Thai and Lao vowel am is not a mark.
_MARKED = (*range(0x0E00, 0x10A0), *range(0x1780, 0x1800), *range(0x3040, 0x3100))


def _ranges(characters: Iterable[str]) -> str:
    """Write sorted characters as ranges of a character class."""
    numbered = groupby(enumerate(characters), key=lambda pair: ord(pair[1]) - pair[0])
    runs = ([char for _, char in run] for _, run in numbered)
    return "".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


MARKS = "\u0e33\u0eb3\ufe00-\ufe0f\uff9e\uff9f" + _ranges(
    chr(n) for n in _MARKED if unicodedata.category(chr(n)).startswith("M")
)
UNIT = re.compile(f"(?=\\w)[{NO_SPACES}][{MARKS}]*|(?:(?![{NO_SPACES}])\\w)+")


def split_words(text: str) -> tuple[list[str], bool]:
    """Split a text into words; also return whether it has characters of a script without spaces (each is a word)."""
    if NO_SPACE.search(text) is None:
        return WORD.findall(text), False
    return UNIT.findall(text), True
