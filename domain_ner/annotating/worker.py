"""Annotates a shard, and writes its output whole or not at all. Each engine calls this in its processes."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path

from spacy.language import Language

from domain_ner.annotating.jobs import Job, ShardResult, short_hash
from domain_ner.annotating.output import write_shard
from domain_ner.annotating.predicting import Result, annotate_batch, annotate_one, batches, failure
from domain_ner.annotating.reading import Document, hash_documents, read_shard
from domain_ner.annotating.spool import TRIES, Spool

SPOOL = ".unfinished"
KILLED = f"the process ended each of {TRIES} times that this document was annotated alone (memory, or a crash)"


def annotate_shard(nlp: Language, job: Job, on_documents: Callable[[int], None]) -> ShardResult:
    """Annotate what is left of a shard, and write its output.

    on_documents: called with the number of documents that are done since the last call; those of an earlier process
    come first.
    Raises BusyError while another process holds the shard, DomainNerError when its input changed.
    """
    folder = Path(job.output) / SPOOL
    with Spool(folder, job.shard.name, short_hash([job.identity, job.shard.stamps, job.shard.first_row])) as spool:
        digest = hashlib.sha256()
        documents = list(hash_documents(read_shard(job.shard, job.settings), digest))
        groups = list(batches(documents))
        n_done = spool.resume(list(accumulate(map(len, groups))))
        on_documents(n_done)
        for number, results in _annotated(nlp, job, spool, groups, n_done):
            spool.add(results)
            on_documents(number)
        spool.begin("write")
        result = write_shard(job, documents, spool.results(), digest.hexdigest())
        spool.remove()
    return result


def _annotated(
    nlp: Language, job: Job, spool: Spool, groups: Sequence[list[Document]], n_done: int
) -> Iterator[tuple[int, list[Result]]]:
    """Yield the number of documents and their results: of a whole batch, or of single documents."""
    end = 0
    for number, group in enumerate(groups):
        end += len(group)
        if end <= n_done:
            continue
        if spool.begin("batch", number) <= TRIES:
            yield len(group), annotate_batch(nlp, group, job.settings)
            continue
        for place, document in islice(enumerate(group, end - len(group)), max(0, n_done - end + len(group)), None):
            if spool.begin("alone", place) > TRIES:
                yield 1, [failure(KILLED)]
            else:
                yield 1, [annotate_one(nlp, document, job.settings)]
