"""Random documents whose offsets drifted: every span is recovered exactly, or reported."""

import random
import re
from itertools import product

import pytest
from offset_records import FAMILY, record

from domain_ner.annotations.outcomes import DROPPED
from domain_ner.annotations.passages import LabelledSpan
from domain_ner.annotations.records import SourceSpan
from domain_ner.conversion.accounts import enter_records
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.offsets import CRLF_TO_LF, LF_TO_CRLF
from domain_ner.conversion.spans import Checks, locate_record

N_DOCUMENTS = 10_000
N_UNREPAIRABLE = 0.2
FLAG, WAVE = "🇩🇪", "👋🏽"
SYMBOLS = ["🔥", "💩", FAMILY, FLAG, WAVE, "é", "ß", "京", "n\u0303", "한", "\u0915\u0947"]
WHITE = [" ", " ", " ", "  ", "\n", "\r\n", "\n\n", "\r\n\r\n", "\t"]
LEADING = ["", "", " ", "\n", "\r\n  ", " \t\n", "\u00a0"]
DRIFTS = list(product(["codepoint", "utf16", "grapheme", "byte"], ["", CRLF_TO_LF, LF_TO_CRLF], [False, True]))


def characters(white):
    """White space split into user-perceived characters."""
    return re.findall(r"\r\n|.", white, flags=re.DOTALL)


class Document:
    """A text built character by character: offsets in any unit are counted without the code under test."""

    def __init__(self, rng):
        self.chars = characters(rng.choice(LEADING))
        self.n_leading = len(self.chars)
        self.words = []  # (first, last + 1), in user-perceived characters
        for _ in range(rng.randint(3, 14)):
            word = [*"".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(5, 8)))]
            if rng.random() < 0.3:
                word.insert(rng.randint(0, len(word)), rng.choice(SYMBOLS))
            self.words.append((len(self.chars), len(self.chars) + len(word)))
            self.chars += word + characters(rng.choice(WHITE))
        self.text = "".join(self.chars)

    def offset(self, n_chars, unit, line_ends, trimmed):
        """The offset of a character, as counted by a tool that changed line ends or leading white space like this."""
        before = self.chars[self.n_leading if trimmed else 0 : n_chars]
        if line_ends and unit != "grapheme":
            new = "\n" if line_ends == CRLF_TO_LF else "\r\n"
            old = "\r\n" if line_ends == CRLF_TO_LF else "\n"
            before = [new if char == old else char for char in before]
        if unit == "grapheme":
            return len(before)
        joined = "".join(before)
        return {"codepoint": len(joined), "utf16": len(joined.encode("utf-16-le")) // 2, "byte": len(joined.encode())}[
            unit
        ]

    def span(self, rng):
        first = rng.randrange(len(self.words))
        last = min(first + rng.choice([0, 0, 1, 2]), len(self.words) - 1)
        return self.words[first][0], self.words[last][1]

    def true(self, span):
        return tuple(len("".join(self.chars[:n_chars])) for n_chars in span)


def unrepairable(document, rng):
    """A span whose offsets and words agree in no reading."""
    start, end = document.true(rng.choice(document.words))
    words, far = document.text[start:end], len(document.text.encode()) * 2
    bad = {
        "past the end": (start, far + rng.randint(1, 50)),
        "reversed": (end, start),
        "empty": (start, start),
        "negative": (start - end - 1, start),
        "no number": rng.choice([(None, 3), ("1", "4"), (1.0, 4.0), (True, 4), (1, [2])]),
    }
    kind = rng.choice([*bad, "other words", "shifted"])
    plain = [span for span in document.words if "".join(document.chars[slice(*span)]).isascii()]
    if kind == "other words":
        return SourceSpan(start, end, "X", "Unheard-of")
    if kind == "shifted" and plain:
        return shifted(document, rng.choice(plain))
    return SourceSpan(*bad.get(kind, (start, start)), "X", words)


def shifted(document, chars):
    """A word with offsets that no reading gives it, as close to the true ones as possible."""
    start, end = document.true(chars)
    taken = {document.offset(chars[0], *drift) for drift in DRIFTS}
    near = sorted(range(start + 99), key=lambda n: abs(n - start))
    moved = next(n for n in near if n not in taken)
    return SourceSpan(moved, moved + end - start, "X", document.text[start:end])


@pytest.mark.slow
def test_every_span_of_10000_drifted_documents_is_recovered_exactly_or_reported():
    rng = random.Random(42)
    n_repaired = n_dropped = 0
    seen = set()
    for n_document in range(N_DOCUMENTS):
        document = Document(rng)
        drift = rng.choice(DRIFTS)
        chars = sorted({document.span(rng) for _ in range(rng.randint(1, 5))})
        good = {
            SourceSpan(*(document.offset(n, *drift) for n in span), "X", document.text[slice(*document.true(span))])
            for span in chars
        }
        bad = [unrepairable(document, rng) for _ in range(rng.random() < N_UNREPAIRABLE)]
        spans = [*good, *bad]
        rng.shuffle(spans)
        ledger = Ledger()
        given = record(document.text, *spans, unit=None)
        (passage,) = enter_records([locate_record(given, Checks())], ledger)
        expected = tuple(LabelledSpan(*true, "X") for true in sorted(document.true(span) for span in chars))
        assert passage.spans == expected, (n_document, drift, document.text, spans)
        dropped = [row for row in ledger.rows if row.outcome == DROPPED]
        assert len(dropped) == len(bad), (n_document, drift, document.text, bad)
        assert all(row.reasons for row in dropped)
        moved = [(row.start, row.end) != (span.start, span.end) for row, span in _kept(ledger, passage)]
        assert [bool(row.reasons) for row, _ in _kept(ledger, passage)] == moved
        n_repaired, n_dropped = n_repaired + sum(moved), n_dropped + len(bad)
        seen |= {drift} if any(moved) else set()
    assert n_repaired > N_DOCUMENTS
    assert n_dropped > N_DOCUMENTS * N_UNREPAIRABLE / 2
    assert seen == {drift for drift in DRIFTS if drift != ("codepoint", "", False)}


def _kept(ledger, passage):
    return [(ledger.rows[row], span) for row, span in zip(passage.rows, passage.spans, strict=True)]
