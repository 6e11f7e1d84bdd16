"""Runs jobs on Ray, on this machine or on a cluster: Ray Data starts, feeds and restarts the workers.

What a worker does with a job is `ShardAnnotator`, which knows nothing of Ray.
"""

import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain_ner.annotating.jobs import Job, Settings, ShardResult, shard_from_json
from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.threads import count_threads

if TYPE_CHECKING:
    from spacy.language import Language

    from domain_ner.annotating.memory import FreshPipeline

# Seconds between tries of a shard that another process holds.
PAUSE = 1.0
# Each job is a block of its own, and Ray Data takes milliseconds for each block it knows of.
JOBS_AT_ONCE = 5000
MISSING = "Ray is not installed."
INSTALL = 'Install it with `pip install "ray[data]"`, the version of the cluster.'


@dataclass(frozen=True)
class Cluster:
    """Where Ray runs. address: of a cluster that runs; empty: Ray is started on this machine, and ended with the run.

    n_workers: each loads the pipeline once; 0 is one for each processor, or for each GPU's share. gpus: for each
    worker; a fraction shares one. requirements: a pip file to install on the cluster, empty for none.
    """

    n_workers: int = 0
    address: str = ""
    gpus: float = 0.0
    requirements: str = ""


class ShardAnnotator:
    """Annotates shards in a worker's process, and loads the pipeline with the first. A batch is one job, as JSON.

    folder: the driver's working directory, that inputs and output may be relative to.
    """

    def __init__(self, folder: str, use_gpu: bool) -> None:
        self._folder, self._use_gpu = folder, use_gpu
        self._fresh: FreshPipeline | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Return the result of each job as JSON, or an error."""
        return {"result": [json.dumps(self._annotate(json.loads(packed))) for packed in batch["job"]]}

    def _annotate(self, row: dict[str, Any]) -> dict[str, Any]:
        from domain_ner.annotating.worker import annotate_shard  # noqa: PLC0415 (loads spaCy, on the workers only)

        job = job_from_json(row)
        try:
            nlp = self._load(job.pipeline)
            return asdict(_when_free(lambda: annotate_shard(nlp, job, lambda _: None)))
        except DomainNerError as err:
            return {"error": str(err)}
        except OSError as err:
            return {"error": f"{err.strerror or err}: {err.filename or ''}".rstrip(": ")}

    def _load(self, pipeline: str) -> "Language":
        if self._fresh is None:
            from domain_ner.annotating.memory import FreshPipeline  # noqa: PLC0415 (loads spaCy)
            from domain_ner.devices import use_gpu  # noqa: PLC0415
            from domain_ner.evaluation.predicting import load_pipeline  # noqa: PLC0415

            use_gpu("0" if self._use_gpu else "-1")
            place = str(Path(pipeline).resolve()) if Path(pipeline).exists() else pipeline
            fresh = FreshPipeline(lambda: load_pipeline(place))
            fresh.get()
            if not Path(self._folder).is_dir():
                raise DomainNerError(
                    f"There is no {self._folder} on {platform.node()}.",
                    "Inputs and output must lie on storage that each machine of the cluster has at the same path.",
                )
            os.chdir(self._folder)
            self._fresh = fresh
        return self._fresh.get()


def _when_free(annotate: Callable[[], ShardResult]) -> ShardResult:
    """Wait while the process of a killed run still holds the shard."""
    from domain_ner.annotating.spool import BusyError  # noqa: PLC0415

    while True:
        try:
            return annotate()
        except BusyError:
            time.sleep(PAUSE)


def require_ray() -> None:
    """Raise DomainNerError where Ray is not installed."""
    if not find_spec("ray"):
        raise DomainNerError(MISSING, INSTALL)


def run_on_ray(
    jobs: Sequence[Job], cluster: Cluster, on_documents: Callable[[int, int], None]
) -> Iterator[ShardResult]:
    """Yield results as shards are done, in any order.

    on_documents: called with a shard's number and the number of its documents, once it is done.
    Raises DomainNerError when Ray is missing or not reached, or a shard cannot be read or written.
    """
    if not jobs:
        return
    with _connected(cluster, jobs[0].pipeline) as pipeline:
        for begin in range(0, len(jobs), JOBS_AT_ONCE):
            some = jobs[begin : begin + JOBS_AT_ONCE]
            packed = [json.dumps(asdict(replace(job, pipeline=pipeline))) for job in some]
            for row in _results(packed, cluster):
                if "error" in row:
                    raise DomainNerError(row["error"])
                result = ShardResult(**row)
                on_documents(result.number, result.n_documents)
                yield result


def _results(packed: Sequence[str], cluster: Cluster) -> Iterator[dict[str, Any]]:
    import ray.data  # noqa: PLC0415 (an extra)

    n_workers = cluster.n_workers or count_workers(ray.cluster_resources(), cluster.gpus)
    _silence(ray.data.DataContext.get_current())
    dataset = ray.data.from_items([{"job": job} for job in packed], override_num_blocks=len(packed)).map_batches(
        ShardAnnotator,
        fn_constructor_args=(str(Path.cwd()), bool(cluster.gpus)),
        batch_size=1,
        # One job at a time: no worker has a queue while another has nothing left.
        compute=ray.data.ActorPoolStrategy(size=min(n_workers, len(packed)), max_tasks_in_flight_per_actor=1),
        num_cpus=1,
        num_gpus=cluster.gpus or None,
    )
    for row in dataset.iter_rows():
        yield json.loads(row["result"])


def _silence(context: Any) -> None:
    """Leave out what Ray Data reports of each run; warnings and workers that ended are still shown."""
    context.enable_progress_bars = context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


@contextmanager
def _connected(cluster: Cluster, pipeline: str) -> Iterator[str]:
    """Connect to Ray, and disconnect; gives what a worker loads the pipeline by."""
    require_ray()
    import ray  # noqa: PLC0415 (an extra)

    # One thread a worker: results never depend on the number of workers.
    environment: dict[str, Any] = {"env_vars": {"OMP_NUM_THREADS": "1"}}
    if cluster.requirements:
        environment["pip"] = cluster.requirements
    options: dict[str, Any] = {"num_cpus": cluster.n_workers or count_threads(), "include_dashboard": False}
    if cluster.address:
        # The pipeline and this package travel to the cluster: Ray keeps one copy on each machine.
        folder = pipeline_folder(pipeline)
        environment |= {"working_dir": str(folder), "py_modules": [str(Path(__file__).parents[1])]}
        options, pipeline = {"address": cluster.address}, "."
    try:
        ray.init(runtime_env=environment, logging_level="ERROR", **options)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as err:
        if not cluster.address:
            raise DomainNerError(
                f"Cannot start Ray on this machine: {err}", "Use --engine local, or free memory."
            ) from err
        raise DomainNerError(
            f"Cannot reach the Ray cluster at {cluster.address}: {err}",
            "Check it with `ray status`. If it asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN.",
        ) from err
    try:
        yield pipeline
    finally:
        ray.shutdown()


def count_workers(resources: dict[str, float], gpus: float) -> int:
    """How many workers a cluster has room for. resources: its CPU and GPU. gpus: of each worker."""
    n_workers = int(resources.get("CPU", 0))
    return max(1, min(n_workers, int(resources.get("GPU", 0) / gpus)) if gpus else n_workers)


def pipeline_folder(pipeline: str) -> Path:
    """The folder of a pipeline that is given by its folder or as an installed package."""
    if Path(pipeline).is_dir():
        return Path(pipeline)
    from domain_ner.evaluation.predicting import load_pipeline  # noqa: PLC0415 (takes seconds)

    return Path(str(load_pipeline(pipeline).path))


def job_from_json(row: dict[str, Any]) -> Job:
    """The inverse of `asdict`."""
    return Job(**{**row, "shard": shard_from_json(row["shard"]), "settings": Settings(**row["settings"])})
