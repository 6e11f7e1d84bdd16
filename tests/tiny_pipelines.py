"""Pipelines of a tiny encoder and `crf_ner`, fitted to a few sentences in seconds."""

from functools import cache
from pathlib import Path

import spacy
from spacy.tokens import DocBin
from spacy.training import Example
from thinc.api import fix_random_seed

from domain_ner.corpus.tokenizer import create_tokenizer

SENTENCES = [
    ("The Payments squad runs Redis and Kafka.", [(4, 18, "TEAM"), (24, 29, "INFRA"), (34, 39, "INFRA")]),
    ("Ask the Search team whether Redis is slow.", [(8, 19, "TEAM"), (28, 33, "INFRA")]),
    ("Nothing failed today, the gateway was fine.", []),
    ("Kafka Streams was moved by the Risk Desk team.", [(0, 13, "INFRA"), (31, 45, "TEAM")]),
    ("We saw errors in Postgres and the Orders team knew.", [(17, 25, "INFRA"), (34, 45, "TEAM")]),
]
LEXICAL = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2", "width": 16, "attrs": ["PREFIX", "SHAPE"], "rows": [50, 50],
        "include_static_vectors": False,
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2", "width": 16, "depth": 1, "window_size": 1, "maxout_pieces": 2,
    },
}  # fmt: skip


def config_of(encoder: Path, *, window: int, lexical: bool):
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1", "grad_factor": 1.0,
        "pooling": {"@layers": "domain_ner.FirstAndMean.v1"},
    }  # fmt: skip
    transformer = {
        "@architectures": "domain_ner.TransformerModel.v1", "name": str(encoder),
        "tokenizer_config": {"use_fast": True, "model_max_length": window}, "transformer_config": {},
        "mixed_precision": False, "grad_scaler_config": {}, "learn_rate_factor": 1.0, "freeze_embeddings": False,
        "freeze_layers": 0, "layer_decay": 1.0, "mask_share": 0.0, "cpu_bfloat16": False, "window": 0, "overlap": 8,
        "max_batch_items": 512,
    }  # fmt: skip
    channel = LEXICAL if lexical else None
    tok2vec = {"@architectures": "domain_ner.LexicalListener.v1", "transformer": listener, "lexical": channel}
    return transformer, {"@architectures": "domain_ner.CRF.v1", "tok2vec": tok2vec}


def fitted(encoder: Path, *, window: int = 64, lexical: bool = True, n_steps: int = 30):
    """A pipeline that has learned the sentences; the encoder is trained with it."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.tokenizer = create_tokenizer()(nlp)
    transformer, crf = config_of(encoder, window=window, lexical=lexical)
    nlp.add_pipe("transformer", config={"model": transformer})
    nlp.add_pipe("crf_ner", config={"model": crf})
    given = [Example.from_dict(nlp.make_doc(text), {"entities": entities}) for text, entities in SENTENCES]
    optimizer = nlp.initialize(lambda: given)
    optimizer.learn_rate = 0.005
    for _ in range(n_steps):
        nlp.update(given, sgd=optimizer)
    return nlp


@cache
def saved(encoder: Path, folder: Path, *, window: int = 64, lexical: bool = True):
    """The folder of a fitted pipeline, and that of its corpus; made once for all tests with the same folder."""
    nlp = fitted(encoder, window=window, lexical=lexical)
    folder.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder / "model")
    docs = []
    for text, entities in SENTENCES:
        doc = nlp.make_doc(text)
        doc.ents = [doc.char_span(start, end, label) for start, end, label in entities]
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "corpus.spacy")
    return folder / "model", folder / "corpus.spacy"
