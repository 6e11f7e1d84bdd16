"""Turns a trained pipeline into one that needs no PyTorch: the encoder becomes a layer of the recogniser."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from spacy.language import Language
from spacy.util import registry

from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.encoder_file import INT8, RUNTIMES, EncoderFacts, EncoderFile
from domain_ner.optimizing.export import export_encoder, versions
from domain_ner.optimizing.quantizing import quantize
from domain_ner.optimizing.window_encoder import export_window_encoder, is_window_encoder

if TYPE_CHECKING:
    from domain_ner.transformer.model import ExactTransformerModel

TRANSFORMER, LISTENER = "transformer", "transformer-listener"
TOK2VEC_LISTENER, TOK2VEC = "tok2vec-listener", "tok2vec"
ARCHITECTURE, TOK2VEC_ARCHITECTURE = "domain_ner.OnnxEncoder.v1", "domain_ner.OnnxTok2Vec.v1"
CRF = "crf"
# What a package of the pipeline requires beside spaCy and domain-ner.
RUNTIME, TOKENIZERS = "onnxruntime>=1.20", "tokenizers>=0.21"
# The requirements that it no longer has.
NEEDLESS = ("torch", "transformers", "spacy-transformers")


def optimize(nlp: Language, runtime: str) -> Language:
    """Change a pipeline so that it predicts without PyTorch.

    nlp: a pipeline with a transformer of domain-ner and one component that listens to it; or one with spaCy's tok2vec,
    whose convolutions are exported; or another, which only loses the requirement. runtime: one of RUNTIMES.
    Returns the pipeline. Raises DomainNerError for others.
    """
    transformers = [name for name, model in _models(nlp) if _is_transformer(model)]
    for name in transformers:
        _replace_transformer(nlp, name, RUNTIMES[runtime])
    _include_tok2vec(nlp)
    tok2vecs = [name for name, model in _models(nlp) if _replace_tok2vec(nlp, name, model, RUNTIMES[runtime])]
    needed = [RUNTIME] * bool(transformers or tok2vecs) + [TOKENIZERS] * bool(transformers)
    kept = [one for one in nlp.meta.get("requirements", []) if _package(one) not in NEEDLESS]
    nlp.meta["requirements"] = kept + [one for one in needed if one not in kept]
    return nlp


def _replace_transformer(nlp: Language, name: str, precision: str) -> None:
    model = dict(_models(nlp))[name]
    listeners = list(_listeners(nlp))
    if len(listeners) != 1:
        raise DomainNerError(
            f"{len(listeners)} components listen to {name}; expected one.",
            "Optimise each recogniser in a pipeline of its own, and join them with nlp.add_pipe(source=...).",
        )
    component, listener, path = listeners[0]
    file = encoder_file(model, precision)
    section = _section(nlp, component, path)
    settings = {
        "@architectures": ARCHITECTURE,
        "pooling": dict(section["pooling"]),
        "window": model.attrs["window"],
        "overlap": model.attrs["overlap"],
        "threads": 0,
    }
    layer = registry.resolve({"layer": settings})["layer"]
    layer.shims[0].use(file)
    dict(_models(nlp))[component].replace_node(listener, layer)
    section.clear()
    section.update(settings)
    nlp.remove_pipe(name)


def _include_tok2vec(nlp: Language) -> None:
    """Make spaCy's shared `tok2vec`, if only one component listens to it, a layer of that component."""
    names = [name for name, model in _models(nlp) if any(node.name == TOK2VEC_LISTENER for node in model.walk())]
    if TOK2VEC in nlp.pipe_names and len(names) == 1:
        nlp.replace_listeners(TOK2VEC, names[0], ["model.tok2vec"])
        nlp.remove_pipe(TOK2VEC)


def _replace_tok2vec(nlp: Language, name: str, model: Any, precision: str) -> bool:
    """Have onnxruntime run the convolutions of a recogniser's own tok2vec. Returns whether it has some."""
    layer = model.get_ref(TOK2VEC) if model.name == CRF and model.has_ref(TOK2VEC) else None
    # Not by its references: a copied layer, as replace_listeners makes one, has lost them.
    if layer is None or len(layer.layers) != 2 or not is_window_encoder(layer.layers[1]):
        return False
    section = _section(nlp, name, ["model", TOK2VEC])
    if "embed" not in section:  # spaCy's HashEmbedCNN names both parts in one
        return False
    embed, encoder = layer.layers
    exported = export_window_encoder(encoder)
    settings = {
        "@architectures": TOK2VEC_ARCHITECTURE,
        "embed": dict(section["embed"]),
        "width": encoder.get_dim("nO"),
        "reach": encoder.attrs["pad"],
        "threads": 0,
    }
    optimized = registry.resolve({"layer": settings})["layer"]
    optimized.replace_node(optimized.layers[0], embed)
    optimized.shims[0].use(quantize(exported) if precision == INT8 else exported)
    model.replace_node(layer, optimized)
    section.clear()
    section.update(settings)
    return True


def _models(nlp: Language) -> list[tuple[str, Any]]:
    return [(name, pipe.model) for name, pipe in nlp.pipeline if hasattr(pipe, "model")]


def _is_transformer(model: Any) -> bool:
    if model.name != TRANSFORMER:
        return False
    from domain_ner.transformer.model import ExactTransformerModel  # noqa: PLC0415 (takes seconds)

    return isinstance(model, ExactTransformerModel)


def _listeners(nlp: Language) -> Iterator[tuple[str, Any, list[str]]]:
    """Yield the components with a listener, the layer that makes vectors of it, and where that is in the config."""
    for name, model in _models(nlp):
        for node in model.walk():
            if any(layer.name == LISTENER for layer in node.layers):  # the listener, then its pooling
                for path in _paths(nlp.get_pipe_config(name)["model"], ["model"]):
                    yield name, node, path


def _paths(config: Any, path: list[str]) -> Iterator[list[str]]:
    if isinstance(config, dict):
        if "TransformerListener" in str(config.get("@architectures", "")):
            yield path
        for key, value in config.items():
            yield from _paths(value, [*path, key])


def _section(nlp: Language, component: str, path: list[str]) -> dict[str, Any]:
    section: Any = nlp.get_pipe_config(component)
    for key in path:
        section = section[key]
    return section  # type: ignore[no-any-return]


def encoder_file(model: "ExactTransformerModel", precision: str) -> EncoderFile:
    """Export the encoder of a transformer component."""
    from domain_ner.transformer.hf_tokenizer import special_ids  # noqa: PLC0415 (takes seconds)
    from domain_ner.transformer.model import model_window  # noqa: PLC0415

    exported = export_encoder(model.transformer)
    onnx = quantize(exported) if precision == INT8 else exported
    config, tokenizer = model.transformer.config, model.tokenizer
    facts = EncoderFacts(
        name=str(model.attrs["name"]).rstrip("/").rpartition("/")[2],
        model_type=config.model_type,
        precision=precision,
        width=config.hidden_size,
        max_length=model_window(model),
        pad=tokenizer.pad_token_id or 0,
        **special_ids(tokenizer)._asdict(),
        **versions(),
    )
    return EncoderFile(onnx, tokenizer.backend_tokenizer.to_str(), facts)


def _package(requirement: str) -> str:
    """The name in a requirement such as `torch>=2.10`."""
    return requirement.partition("[")[0].partition(">")[0].partition("=")[0].partition("<")[0].partition("~")[0].strip()
