"""Implements `export-hf`: writes a pipeline as a token classifier of transformers, and measures what that costs."""

import json
import shlex
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, in_project, say, watched, writes
from domain_ner.devices import use_gpu
from domain_ner.files import atomic_path, require_replaceable, write_text


@writes("output")
def main(
    model: Path = typer.Argument(Path("training/model-calibrated"), help="The pipeline to export."),
    test: Path = typer.Argument(Path("corpus/test.spacy"), help="The test corpus (DocBin), for the parity sheet."),
    output: Path = typer.Argument(
        Path("training/hugging-face"), help="Folder for the model, its card and its parity sheet; it is replaced."
    ),
    fit_on: str = typer.Option(
        "corpus/train.spacy corpus/dev.spacy",
        help="Corpora (DocBin) to fit the classifier on, separated by spaces; not the test corpus.",
    ),
    epochs: int = typer.Option(
        4, help="Passes over them to train a copy of the encoder on the pipeline's probabilities; 0: keep the encoder."
    ),
    stride: int = typer.Option(-1, help="Wordpieces that parts of a long text share; -1: as in the pipeline."),
    card: Path | None = in_project("training/encoder.json", "The encoder's card, for the model card."),
    name: str = typer.Option("", help="Name of the model; empty: the name of the output folder."),
    licence: str = typer.Option("", help="Licence that the model card states; empty: none."),
    seed: int = typer.Option(0, help="Seed of the training and of samples."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Write the pipeline as a Hugging Face token classifier, and what that costs in F1 by aggregation strategy."""
    from domain_ner.commands.printing.hf_parity import print_parity
    from domain_ner.encoders.card import EncoderCard
    from domain_ner.evaluation.predicting import input_doc, load_pipeline, read_docs
    from domain_ner.huggingface.distilling import settings_of
    from domain_ner.huggingface.export_report import CardFacts, best_strategy, model_card, parity_markdown
    from domain_ner.huggingface.exporting import Parts, export, require_stride
    from domain_ner.huggingface.parity import Exported, measure_parity
    from domain_ner.huggingface.parity_schema import Parity

    gpu = use_gpu(gpu_id)
    require_replaceable(output, "config.json", "a model that was exported before")
    nlp = load_pipeline(model)
    parts = Parts.of(nlp)
    settings = settings_of(nlp, epochs=epochs, seed=seed)
    shared = require_stride(parts, stride)
    gold = read_docs(test, nlp.vocab)
    docs = [input_doc(nlp, doc) for path in shlex.split(fit_on) for doc in read_docs(Path(path), nlp.vocab)]
    base_model = EncoderCard.read(card).hub_id if card is not None else ""
    with atomic_path(output) as folder:
        divergence = export(parts, docs, folder, settings, watched=watched)
        exported = Exported(folder, str(model), shared, epochs, divergence)
        parity = measure_parity(parts, exported, gold, str(test), gpu=gpu, watched=watched)
        facts = CardFacts(name or output.resolve().name, nlp.meta["lang"], licence, base_model)
        write_text(folder / "README.md", model_card(parity, facts))
        write_text(folder / "parity.md", parity_markdown(parity))
        write_text(folder / "parity.json", parity.model_dump_json(indent=1) + "\n")
        write_text(folder / "parity.schema.json", json.dumps(Parity.model_json_schema(), indent=1) + "\n")
    print_parity(parity)
    best = best_strategy(parity)
    say(f"model: {output}, with README.md (model card) and parity.md")
    say(f'pipeline("token-classification", model="{output}", aggregation_strategy="{best.name}", stride={shared})')
