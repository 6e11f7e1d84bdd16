"""Leads a run: plans the shards, lets an engine annotate those that are left, and keeps the record."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from domain_ner.annotating.columns import find_schema
from domain_ner.annotating.jobs import JSON_LINES, Job, Settings, Shard, ShardResult, label_of
from domain_ner.annotating.manifest import Manifest
from domain_ner.annotating.output import ERRORS
from domain_ner.annotating.shards import Limits, plan_shards
from domain_ner.annotating.sources import Source
from domain_ner.files import atomic_path

ERROR_FILE = "errors.jsonl"

# Runs jobs, and yields results as they are done. The function is called with a shard's number and its documents so far.
Engine = Callable[[Sequence[Job], Callable[[int, int], None]], Iterator[ShardResult]]
# Shows progress: takes the numbers of all documents and of those done; yields a function to call with the latter.
Watched = Callable[[int, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True)
class Summary:
    """What the output holds. n_before: documents that an earlier run annotated."""

    n_shards: int
    n_documents: int
    n_errors: int
    n_entities: int
    n_before: int


@dataclass(frozen=True)
class Pipeline:
    """A pipeline by the name or folder that `spacy.load` takes. identity: name, version and hash."""

    name: str
    identity: dict[str, str]

    @classmethod
    def of(cls, name: str) -> "Pipeline":
        """Load it once, to fail early, and to hash its files. Raises DomainNerError when it cannot be loaded."""
        from domain_ner.annotating.predicting import identity_of  # noqa: PLC0415 (loads spaCy)
        from domain_ner.evaluation.predicting import load_pipeline  # noqa: PLC0415

        identity = identity_of(load_pipeline(name))
        return cls(str(Path(name).resolve()) if Path(name).exists() else name, identity)

    @property
    def label(self) -> str:
        """What each row of the output says of it."""
        return label_of(self.identity)


def annotate(  # noqa: PLR0913
    pipeline: Pipeline,
    sources: Sequence[Source],
    output: Path,
    *,
    settings: Settings,
    engine: Engine,
    limits: Limits,
    watched: Watched,
) -> Summary:
    """Annotate all documents of the sources that the folder does not hold yet.

    Raises DomainNerError when the folder belongs to another pipeline or other settings, or a source changed.
    """
    manifest = Manifest(output)
    run = manifest.open(pipeline.identity, settings)
    manifest.mend()
    new = list(plan_shards(manifest.new_sources(sources), limits, first=len(manifest.shards)))
    if new or not manifest.shards:
        if settings.output_format != JSON_LINES and "schema" not in run:
            run["schema"] = find_schema(new, settings)
        manifest.save(run, new)
    before = sum(result.n_documents for result in manifest.done.values())
    make = partial(_job, pipeline, settings, output, str(run.get("schema", "")))
    total = sum(shard.n_documents for shard in manifest.shards)
    counted: Counter[int] = Counter()
    n_done_here = 0
    with watched(total, before) as on_done:

        def on_documents(number: int, n_done: int) -> None:
            nonlocal n_done_here
            n_done_here += n_done - counted[number]
            counted[number] = n_done
            on_done(before + n_done_here)

        for result in engine([make(shard) for shard in manifest.left()], on_documents):
            manifest.add(result)
            on_documents(result.number, result.n_documents)
    _collect_errors(output)
    done = manifest.done.values()
    return Summary(
        n_shards=len(manifest.shards),
        n_documents=total,
        n_errors=sum(result.n_errors for result in done),
        n_entities=sum(result.n_entities for result in done),
        n_before=before,
    )


def _job(pipeline: Pipeline, settings: Settings, output: Path, schema: str, shard: Shard) -> Job:
    return Job(shard, settings, pipeline.name, pipeline.label, str(output.resolve()), schema)


def _collect_errors(output: Path) -> None:
    """Write the errors of all shards to one file, in order; none if there are none."""
    files = sorted((output / ERRORS).glob("*.jsonl"))
    target = output / ERROR_FILE
    if not files:
        target.unlink(missing_ok=True)
        return
    with atomic_path(target) as temporary, temporary.open("wb") as stream:
        for path in files:
            stream.write(path.read_bytes())
