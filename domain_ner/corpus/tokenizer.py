"""The tokenizer of every pipeline: spaCy's for the language, with rules that split code-like text.

spaCy keeps `MAX_RETRIES=5`, `"/api/v2/orders"` and `https://host/path` largely in one token, so an entity inside could
never be predicted. Conversion, training and prediction use the same tokenizer.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, Span
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex, registry

from domain_ner.annotations.doc_keys import ORIGINAL_KEY
from domain_ner.corpus.normalization import normalize_whitespace

# Characters that always end a name. Not `.`, `_` and `-`, which are parts of names (spaCy's own rules split a hyphen
# between letters and a full stop at the end).
SPLIT_CHARS = r"""[=:/\\|"'`´‘’“”()\[\]{}<>,;@#$%^*~!?…—–+&]"""
# The full stop after a name in mixed case or a single letter ("the Integration CoE.", "Control-M."), which spaCy
# takes for an abbreviation.
MIXED_CASE_STOP = r"(?<=[a-z-][A-Z])\."


class NormalizingTokenizer(Tokenizer):  # type: ignore[misc]
    """Tokenizes the text with its white space normalised, and keeps the original in `doc._.original_text`."""

    def __call__(self, text: str) -> Doc:
        """Tokenize a text."""
        normal, _ = normalize_whitespace(text)
        doc: Doc = super().__call__(normal)
        if normal != text:
            doc.user_data[ORIGINAL_KEY] = text
        return doc


@registry.tokenizers("domain_ner.Tokenizer.v1")
def create_tokenizer(splits: Sequence[str] = (), normalize: str = "") -> Callable[[Language], Tokenizer]:
    """Create a factory of the tokenizer: the language's rules and extra splits.

    URLs are split too (a path may be an entity), and so are emoticons of punctuation (`=/` in `path=/v1`).

    splits: regular expressions whose matches split a token further (infixes); `convert` learns them from names that
        start or end inside a token.
    normalize: `whitespace` to reduce runs of white space to single spaces before tokenizing; the original text and
        offsets are kept (see `domain_ner.corpus.normalization`). Empty: the text is not changed.
    """

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        defaults = nlp.Defaults
        rules = {text: tokens for text, tokens in defaults.tokenizer_exceptions.items() if _is_kept(text)}
        prefixes = [*(defaults.prefixes or ()), SPLIT_CHARS]
        suffixes = [*(defaults.suffixes or ()), SPLIT_CHARS, MIXED_CASE_STOP]
        infixes = [*splits, *(defaults.infixes or ()), SPLIT_CHARS]
        tokenizer = NormalizingTokenizer if normalize else Tokenizer
        return tokenizer(
            nlp.vocab,
            rules=rules,
            prefix_search=compile_prefix_regex(prefixes).search,
            suffix_search=compile_suffix_regex(suffixes).search,
            infix_finditer=compile_infix_regex(infixes).finditer,
            token_match=defaults.token_match,
        )

    return tokenizer_factory


def _is_kept(exception: str) -> bool:
    """Whether to keep a tokenizer exception: not emoticons or `b.`, which split wrongly in "runs on ack-jkt-b."."""
    is_letter_and_stop = exception[:1].isalpha() and exception[1:] == "."
    return exception.isspace() or (any(char.isalnum() for char in exception) and not is_letter_and_stop)


@lru_cache(maxsize=64)
def _offsets(text: str) -> list[int]:
    return normalize_whitespace(text)[1]


def _original_text(doc: Doc) -> str:
    return str(doc.user_data.get(ORIGINAL_KEY, doc.text))


def _original_start(span: Span) -> int:
    original = span.doc.user_data.get(ORIGINAL_KEY)
    return _offsets(original)[span.start_char] if original else span.start_char


def _original_end(span: Span) -> int:
    original = span.doc.user_data.get(ORIGINAL_KEY)
    return _offsets(original)[span.end_char - 1] + 1 if original and span.end_char else span.end_char


Doc.set_extension("original_text", getter=_original_text, force=True)
Span.set_extension("original_start", getter=_original_start, force=True)
Span.set_extension("original_end", getter=_original_end, force=True)
