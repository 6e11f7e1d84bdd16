"""Runs jobs on Ray: actors of a laptop, or of a cluster by its address. Ray places them, restarts them and tries again."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from domain_ner.annotating.jobs import Job, ShardResult
from domain_ner.errors import DomainNerError


def run_on_ray(
    jobs: Sequence[Job],
    n_actors: int,
    on_documents: Callable[[int, int], None],
    *,
    address: str = "",
    gpus: float = 0.0,
) -> Iterator[ShardResult]:
    """Yield results as shards are done. The output folder must be one that all machines see.

    address: of a cluster (`auto`, or `ray://host:port`); empty: Ray is started here, and stopped at the end.
    gpus: for each actor, which then predicts on a GPU.
    Raises DomainNerError when Ray is missing or does not start, or a shard cannot be read or written.
    """
    if not jobs:
        return
    ray = _ray()
    is_own = not ray.is_initialized()
    if is_own:
        _start(ray, address, n_actors)
    try:
        data = ray.data.from_items([{"job": job} for job in jobs], override_num_blocks=len(jobs))
        done = data.map_batches(
            _Annotator,
            batch_size=1,
            batch_format="numpy",
            fn_constructor_args=(jobs[0].pipeline, gpus > 0),
            compute=ray.data.ActorPoolStrategy(size=min(n_actors, len(jobs))),
            num_cpus=1,
            num_gpus=gpus or None,
            max_restarts=-1,
            max_task_retries=-1,
        )
        for row in done.iter_rows():
            if row["error"]:
                raise DomainNerError(row["error"])
            result = ShardResult(**row["result"])
            on_documents(result.number, result.n_documents)
            yield result
    finally:
        if is_own:
            ray.shutdown()


class _Annotator:
    """An actor that loads the pipeline once. One shard a call."""

    def __init__(self, pipeline: str, on_gpu: bool) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"
        import spacy  # noqa: PLC0415

        from domain_ner.evaluation.predicting import load_pipeline  # noqa: PLC0415

        if on_gpu:
            spacy.require_gpu()
        self._nlp = load_pipeline(pipeline)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        import time  # noqa: PLC0415

        from domain_ner.annotating.spool import BusyError  # noqa: PLC0415
        from domain_ner.annotating.worker import annotate_shard  # noqa: PLC0415

        job: Job = batch["job"][0]
        while True:
            try:
                result = annotate_shard(self._nlp, job, lambda n_documents: None)
            except BusyError:  # the actor that had it still ends
                time.sleep(1)
            except DomainNerError as err:
                return {"result": [None], "error": [str(err)]}
            else:
                return {"result": [result.to_json()], "error": [""]}


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415 (not everywhere installed)
        import ray.data  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(f"--engine ray needs Ray: {err}.", 'pip install "domain-ner[ray]"') from err
    return ray


def _start(ray: Any, address: str, n_actors: int) -> None:
    # Ray's own tasks need a processor too, beside those that the actors hold.
    here = {} if address else {"num_cpus": max(n_actors + 1, os.cpu_count() or 1), "include_dashboard": False}
    try:
        ray.init(address=address or None, logging_level="ERROR", log_to_driver=False, **here)
    except Exception as err:
        place = f"the cluster at {address}" if address else "Ray here"
        raise DomainNerError(f"Cannot reach or start {place}: {type(err).__name__}: {err}") from err
