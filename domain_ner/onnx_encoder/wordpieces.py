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
        # The name of the wordpiece for what the encoder cannot read, where the kind of tokenizer has one.
        self._unknown = getattr(self._tokenizer.model, "unk_token", None)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Cut texts into wordpieces, without special ones."""
        if self._n_threads == 1:  # encode_batch would use all processors
            encoded = [self._tokenizer.encode(text, add_special_tokens=False) for text in texts]
        else:
            encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Encoding(encoding.ids, encoding.offsets) for encoding in encoded]

    def count(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Return for each word, by itself, the number of its wordpieces, and of those that the encoder cannot read."""
        counts = []
        for word in words:
            tokens = self._tokenizer.encode(word, add_special_tokens=False).tokens
            counts.append((len(tokens), tokens.count(self._unknown)))
        return counts
