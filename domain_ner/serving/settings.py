"""The settings of the service. Each may be given as an environment variable, which is the only way in a container."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from domain_ner.errors import DomainNerError

PREFIX = "DOMAIN_NER_"
# Hosts that reach this machine only.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ServiceSettings:
    """How a pipeline is served. Environment variables have the same names, in capitals, after `DOMAIN_NER_`.

    pipeline: an installed package, or a folder. api_keys: each opens the API; none: it is open.
    allowed_hosts: names that requests may call the service by; none: those of this machine if only it reaches the
    service, else any.
    workers: processes that predict, each with a pipeline of its own; 0: the service's own process predicts.
    threads: of a worker; 0: the processors, shared out between the workers.
    max_body_bytes, max_texts: of a request. max_characters: of a text.
    max_queued: wordpieces that wait at most, by estimate; further requests are refused.
    batch_wordpieces: of a batch, by estimate. max_wait_ms: how long a batch that is not full waits for further texts.
    shadow: a second pipeline that gets the same texts and answers none; differences are counted. shadow_share: of the
    texts, 0..1.
    timeout_s: of a request. shutdown_s: for the requests in work when the service ends.
    """

    pipeline: str
    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    allowed_hosts: tuple[str, ...] = ()
    workers: int = 1
    threads: int = 0
    max_body_bytes: int = 4_000_000
    max_texts: int = 512
    max_characters: int = 200_000
    max_queued: int = 200_000
    batch_wordpieces: int = 2048
    max_wait_ms: float = 0.0
    timeout_s: float = 60.0
    shutdown_s: int = 30
    shadow: str = ""
    shadow_share: float = 1.0

    def __post_init__(self) -> None:
        for name in ("max_body_bytes", "max_texts", "max_characters", "max_queued", "batch_wordpieces"):
            if getattr(self, name) < 1:
                raise DomainNerError(f"{name} is {getattr(self, name)}; expected 1 or more.")
        for name in ("workers", "threads", "max_wait_ms", "timeout_s", "shutdown_s"):
            if not getattr(self, name) >= 0:
                raise DomainNerError(f"{name} is {getattr(self, name)}; expected 0 or more.")
        if not 0 <= self.shadow_share <= 1:
            raise DomainNerError(f"shadow_share is {self.shadow_share}; expected 0 to 1.")
        if not 0 <= self.port <= 65535:
            raise DomainNerError(f"port is {self.port}; expected 0 to 65535.")

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOOPBACK

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "ServiceSettings":
        """Read the settings. Raises DomainNerError, naming the variable, for a value of the wrong kind."""
        values: dict[str, Any] = {}
        for one in fields(cls):
            name = PREFIX + one.name.upper()
            given = environment.get(name, "")
            if given == "":
                continue
            values[one.name] = _read(name, given, one.type)
        if "pipeline" not in values:
            raise DomainNerError(f"{PREFIX}PIPELINE is not set.", "Give the pipeline's folder, or its package.")
        return cls(**values)


def _read(name: str, given: str, kind: Any) -> Any:
    if kind is str:
        return given
    if kind in (int, float):
        try:
            return kind(given)
        except ValueError as err:
            whole = "a whole number" if kind is int else "a number"
            raise DomainNerError(f"{name} is {given!r}; expected {whole}.") from err
    parts = tuple(part.strip() for part in given.split(",") if part.strip())
    if not parts:
        raise DomainNerError(f"{name} is set, but holds nothing.", "Give a value, or do not set it.")
    return parts
