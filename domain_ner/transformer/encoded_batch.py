"""What the encoder gives for a batch of documents, as spacy-transformers passes it to its listeners."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from spacy.tokens import Doc
from spacy_transformers.data_classes import FullTransformerBatch, TransformerData, WordpieceBatch
from thinc.api import torch2xp
from thinc.types import Floats3d, Ragged
from torch import Tensor
from transformers.file_utils import ModelOutput

from domain_ner.transformer.hf_tokenizer import wordpiece_batch
from domain_ner.transformer.tokenizing import Tokenized


class EncodedBatch(FullTransformerBatch):  # type: ignore[misc]
    """The encoder's output for each document, padded to the document's longest window."""

    def unsplit_by_doc(self, arrays: Sequence[Sequence[Floats3d]]) -> "EncodedBatch":
        """Make a batch of gradients: `d_docs`, one for each document with tokens."""
        batch = EncodedBatch(spans=[], wordpieces=self.wordpieces, model_output=ModelOutput(), align=self.align)
        batch.d_docs = [arrays_of_doc[0] for arrays_of_doc in arrays]
        return batch


def collect(
    tokenizer: Any, docs: Sequence[Doc], tokenized: Sequence[Tokenized], hidden: Sequence[Tensor]
) -> EncodedBatch:
    """Collect the output of each document; an empty document has an empty output."""
    data, remaining, position = [], iter(tokenized), 0
    for doc in docs:
        if not len(doc):
            data.append(TransformerData.empty())
            continue
        tokenized_doc = next(remaining)
        states = torch.nn.utils.rnn.pad_sequence(
            list(hidden[position : position + len(tokenized_doc.rows)]), batch_first=True
        )
        position += len(tokenized_doc.rows)
        output = ModelOutput(last_hidden_state=torch2xp(states))
        data.append(TransformerData(wordpiece_batch(tokenizer, tokenized_doc), output, tokenized_doc.align))
    wordpieces = WordpieceBatch.empty()
    align = Ragged(np.zeros(0, dtype="i"), np.zeros(0, dtype="i"))
    spans = [[doc[:]] if len(doc) else [] for doc in docs]
    return EncodedBatch(
        spans=spans, wordpieces=wordpieces, model_output=ModelOutput(), align=align, cached_doc_data=data
    )
