"""Reads an export in a process of its own, as `convert` does, and says how that ended."""

import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import spacy

from domain_ner.annotations import ImportSettings, read_annotations
from domain_ner.conversion.ledger import FAULT
from domain_ner.docs import DocRules, make_doc
from domain_ner.errors import DomainNerError
from domain_ner.tokenizer import create_tokenizer

READ, REFUSED = "read", "refused"
TRACEBACK, CRASH, HANG, MEMORY, UNBALANCED = "traceback", "crash", "hang", "memory", "wrong sums"
FAULTS = (TRACEBACK, CRASH, HANG, MEMORY, UNBALANCED)
MAX_S, MAX_BYTES = 20.0, 2 << 30
SETTINGS = ImportSettings(prefer=("*",), conflicts="majority", reading="force=yes")
RULES = DocRules(create_tokenizer()(spacy.blank("xx")))


@dataclass(frozen=True)
class Outcome:
    """How the reading of one export ended. what: one of the names above. told: the last words of it."""

    what: str
    told: str
    seconds: float


def convert(folder: Path) -> str:
    """Read a folder, put its passages into documents, and check the sums. Raises DomainNerError as `convert` does."""
    read = read_annotations(folder, SETTINGS)
    for passage in read.merged:
        doc = make_doc(passage, RULES, read.ledger, split="train")
        if doc.text not in (passage.text, f"{passage.text} "):  # where no spaces are known, one follows the last word
            raise AssertionError(f"{passage.source}: the text was changed")
    read.ledger.check_balance()
    for passage in read.passages:
        for span in chain(passage.spans, passage.rejected):
            if not 0 <= span.start < span.end <= len(passage.text):
                raise AssertionError(f"{passage.source}: {span} is off the text")
    return f"{len(read.merged)} passages"


def watch(folders: Sequence[Path], read: Callable[[Path], str] = convert) -> list[Outcome]:
    """Read each folder, all of them in one process as long as it lives; one that dies is followed by another."""
    found: list[Outcome] = []
    while len(found) < len(folders):
        found += _watch(folders[len(found) :], read)
    return found


def _watch(folders: Sequence[Path], read: Callable[[Path], str]) -> list[Outcome]:
    sys.stdout.flush()
    told, telling = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(told)
        _read_all(folders, read, telling)
    os.close(telling)
    found: list[Outcome] = []
    with os.fdopen(told, "rb") as stream:
        for _ in folders:
            began = time.perf_counter()
            line = stream.readline() if select.select([stream], [], [], MAX_S)[0] else None
            seconds = time.perf_counter() - began
            if not line:
                what, words = (CRASH, "") if line is not None else (HANG, f"more than {MAX_S:g} s")
                os.kill(pid, signal.SIGKILL) if line is None else None
                found.append(Outcome(what, words, seconds))
                break
            what, _, words = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
            found.append(Outcome(what.replace("_", " "), words, seconds))
    _, status = os.waitpid(pid, 0)
    if found and found[-1].what == CRASH:
        found[-1] = Outcome(CRASH, f"status {status}", found[-1].seconds)
    return found


def _read_all(folders: Sequence[Path], read: Callable[[Path], str], telling: int) -> None:
    """In the process that reads: a line for each folder. Ends the process."""
    # What is more than that is a MemoryError, and the machine goes on.
    resource.setrlimit(resource.RLIMIT_AS, (2 * MAX_BYTES, 2 * MAX_BYTES))
    for folder in folders:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        what, words = _outcome(folder, read)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        if grown > MAX_BYTES:
            what, words = MEMORY, f"{grown / 1e9:.1f} GB"
        line = f"{what.replace(' ', '_')} {' '.join(words.split())}\n"
        os.write(telling, line.encode("utf-8", "replace")[:4000].rstrip(b"\n") + b"\n")
    os._exit(0)


def _outcome(folder: Path, read: Callable[[Path], str]) -> tuple[str, str]:
    try:
        return READ, read(folder)
    except DomainNerError as err:
        return (UNBALANCED if FAULT in str(err) else REFUSED), str(err)
    except MemoryError:
        return MEMORY, "MemoryError"
    except BaseException:
        return TRACEBACK, traceback.format_exc()[-1500:]
