"""Cuts texts into wordpieces with the tokenizers package alone."""

from collections.abc import Sequence

from tokenizers import Tokenizer

from domain_ner.transformer.tokenizing import Encoding


class WordpieceTokenizer:
    """A fast tokenizer, without the limit of its length. json: the content of tokenizer.json. n_threads: to use."""

    def __init__(self, json: str, n_threads: int) -> None:
        self._tokenizer = Tokenizer.from_str(json)
        self._tokenizer.no_truncation()  # many files cut, and pad, each text to 128 or 512 wordpieces
        self._tokenizer.no_padding()
        self._n_threads = n_threads

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Cut texts into wordpieces, without special ones."""
        if self._n_threads == 1:  # encode_batch would use all processors
            encoded = [self._tokenizer.encode(text, add_special_tokens=False) for text in texts]
        else:
            encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Encoding(encoding.ids, encoding.offsets) for encoding in encoded]
