"""The tokenizer of every pipeline made here: spaCy's for the language, taught to split code-like text.

spaCy keeps `MAX_RETRIES=5`, `"/api/v2/orders"` and `https://host/path` largely in one piece, so that the entity inside
could never be predicted. The same tokenizer is used to convert, to train and to predict.
"""

from collections.abc import Callable

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex, registry

# Characters that end a name wherever they stand. Not among them: `.`, `_` and `-`, which names are made of
# (spaCy's own rules split a hyphen between letters and a full stop at the end).
SPLIT_CHARS = r"""[=:/\\|"'`´‘’“”()\[\]{}<>,;@#$%^*~!?…—–+&]"""
# The full stop after a name in mixed case or with a letter of its own ("the Integration CoE.", "Control-M."), which
# spaCy takes for an abbreviation.
MIXED_CASE_STOP = r"(?<=[a-z-][A-Z])\."


@registry.tokenizers("domain_ner.Tokenizer.v1")
def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """A factory of the tokenizer: the language's rules and extra splits.

    URLs are split too (a path may be an entity), and so are emoticons made of punctuation (`=/` in `path=/v1`).
    """

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        defaults = nlp.Defaults
        rules = {text: tokens for text, tokens in defaults.tokenizer_exceptions.items() if _is_kept(text)}
        prefixes = [*(defaults.prefixes or ()), SPLIT_CHARS]
        suffixes = [*(defaults.suffixes or ()), SPLIT_CHARS, MIXED_CASE_STOP]
        infixes = [*(defaults.infixes or ()), SPLIT_CHARS]
        return Tokenizer(
            nlp.vocab,
            rules=rules,
            prefix_search=compile_prefix_regex(prefixes).search,
            suffix_search=compile_suffix_regex(suffixes).search,
            infix_finditer=compile_infix_regex(infixes).finditer,
            token_match=defaults.token_match,
        )

    return tokenizer_factory


def _is_kept(exception: str) -> bool:
    """Whether an exception of the language holds in code-like text: no emoticons, no `b.` ("runs on ack-jkt-b.")."""
    is_letter_and_stop = exception[:1].isalpha() and exception[1:] == "."
    return exception.isspace() or (any(char.isalnum() for char in exception) and not is_letter_and_stop)
