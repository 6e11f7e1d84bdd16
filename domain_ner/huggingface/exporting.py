"""Writes a pipeline's encoder with a classifier of wordpieces, as a folder that transformers loads.

A classifier has neither the CRF's transitions nor the lexical features. Its weights are those with which a softmax over
each wordpiece's vector comes closest to the probabilities of the pipeline, on text of the domain.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from spacy.language import Language
from spacy.tokens import Doc
from torch import Tensor

from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.errors import DomainNerError
from domain_ner.huggingface.distilling import DistillSettings, distill
from domain_ner.huggingface.tagger import Tagger, fit_classifier, make_tagger
from domain_ner.huggingface.targets import TargetWindow, iob2_labels, target_windows, token_probabilities
from domain_ner.transformer.encoding import Padding, encode
from domain_ner.transformer.hf_tokenizer import special_ids
from domain_ner.transformer.model import ExactTransformerModel, model_window, tokenize_docs
from domain_ner.transformer.shim import tokenizer_files

# Maximum of wordpieces to fit the classifier on: some 800 MB of vectors of a base-size encoder.
MAX_FITTED = 250_000
Watched = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True)
class Parts:
    """The parts of a pipeline to export."""

    nlp: Language
    transformer: ExactTransformerModel
    recogniser: CRFRecognizer

    @classmethod
    def of(cls, nlp: Language) -> "Parts":
        """Find the parts. Raises DomainNerError for a pipeline without a transformer or a `crf_ner`."""
        transformer: Any = nlp.get_pipe("transformer") if "transformer" in nlp.pipe_names else None
        if transformer is None or not isinstance(transformer.model, ExactTransformerModel):
            raise DomainNerError(
                f"The pipeline has no transformer of domain-ner; its components are {', '.join(nlp.pipe_names)}.",
                "Train with an encoder other than cnn.",
            )
        recognisers = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, CRFRecognizer)]
        if not recognisers:
            raise DomainNerError(
                f"The pipeline has no crf_ner; its components are {', '.join(nlp.pipe_names)}.",
                "Train with vars.head crf.",
            )
        return cls(nlp, transformer.model, recognisers[0])

    @property
    def window(self) -> int:
        """The longest text that the encoder reads at once, in wordpieces, special ones included."""
        return model_window(self.transformer)

    @property
    def padding(self) -> Padding:
        """How rows of wordpieces are padded."""
        return Padding(self.transformer.tokenizer.pad_token_id or 0, self.transformer.attrs["max_batch_items"])


def export(parts: Parts, docs: Sequence[Doc], folder: Path, settings: DistillSettings, *, watched: Watched) -> float:
    """Write the model and its tokenizer to a new folder.

    docs: unprocessed text of the domain, to fit the classifier on. settings: of training; with no epochs, the encoder's
    weights are the pipeline's own.
    Returns the mean divergence of the fitted classifier from the pipeline's probabilities, in nats.
    Raises DomainNerError for an encoder that is not supported.
    """
    tagger = make_tagger(parts.transformer.transformer, iob2_labels(parts.recogniser.labels))
    windows = collect_windows(parts, docs, watched=watched)
    divergence = fit_classifier(tagger.classifier, *_features(parts, tagger, windows, settings.seed))
    if settings.epochs:
        with watched("training", settings.n_steps(len(windows))) as on_step:
            distill(tagger, windows, settings, pad=parts.padding.piece, on_step=on_step)
    folder.mkdir(parents=True)
    _save(parts, tagger.model, folder)
    return divergence


def require_stride(parts: Parts, stride: int) -> int:
    """Return the wordpieces that parts of a long text share: as given, or the pipeline's own overlap for -1.

    Raises DomainNerError if they are more than half of the window.
    """
    shared = int(parts.transformer.attrs["overlap"]) if stride < 0 else stride
    if 2 * shared >= parts.window:
        raise DomainNerError(
            f"stride is {shared}; expected less than half of the encoder's window of {parts.window} wordpieces."
        )
    return shared


def collect_windows(parts: Parts, docs: Sequence[Doc], *, watched: Watched) -> list[TargetWindow]:
    """Predict the targets of all wordpieces. Raises DomainNerError if the documents have no tokens."""
    filled = [doc for doc in docs if len(doc)]
    if not filled:
        raise DomainNerError(
            "The text to fit on has no tokens.", "Give a corpus with text, such as corpus/train.spacy."
        )
    n_before = len(special_ids(parts.transformer.tokenizer)[0])
    windows: list[TargetWindow] = []
    with watched("predicting", len(filled)) as on_doc:
        for doc, probs in zip(filled, token_probabilities(parts.nlp, parts.recogniser, filled), strict=True):
            (tokenized,) = tokenize_docs(parts.transformer, [doc])
            windows += target_windows(tokenized, probs, n_before=n_before)
            on_doc()
    return [window for window in windows if len(window.positions)]


def _features(parts: Parts, tagger: Tagger, windows: Sequence[TargetWindow], seed: int) -> tuple[Tensor, Tensor]:
    """Vectors and targets of a random sample of windows, or of all: (n, width) and (n, n_labels)."""
    order = torch.randperm(len(windows), generator=torch.Generator().manual_seed(seed)).tolist()
    n_pieces, chosen = 0, []
    for n in order:
        if n_pieces < MAX_FITTED:
            chosen.append(windows[n])
            n_pieces += len(windows[n].positions)
    hidden = encode(tagger.encoder, [window.row for window in chosen], parts.padding)
    vectors = [states[torch.from_numpy(window.positions)] for states, window in zip(hidden, chosen, strict=True)]
    probs = torch.cat([torch.from_numpy(window.probs) for window in chosen])
    features = torch.cat(vectors)
    return features, probs.to(features.device)


def _save(parts: Parts, model: Any, folder: Path) -> None:
    """Write the weights as safetensors, the config, and the tokenizer with the pipeline's window as its maximum."""
    model.to("cpu").save_pretrained(folder, safe_serialization=True)
    for weights in folder.glob("*.safetensors"):  # safetensors lets nobody but the owner read them
        weights.chmod((folder / "config.json").stat().st_mode)
    tokenizer, objects = parts.transformer.tokenizer, parts.transformer.shim._hfmodel
    maximum, tokenizer.model_max_length = tokenizer.model_max_length, parts.window
    # Read by `tokenizers` alone, a tokenizer cuts and pads as it did when it was last used.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    try:
        for name, content in tokenizer_files(objects).items():
            (folder / name).write_bytes(content)
    finally:
        tokenizer.model_max_length = maximum
