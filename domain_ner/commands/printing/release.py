"""Prints the steps and the result of `release`."""

from domain_ner.commands.console import say, warn
from domain_ner.commands.printing.comparison import print_comparison
from domain_ner.releasing.registry import VERSIONS, Registry
from domain_ner.releasing.release import CHANGES, STEPS, Release


def print_step(step: str, is_done: bool) -> None:
    """Print that a step is done. is_done: it was done by an earlier run."""
    say(f"{STEPS.index(step) + 1}/{len(STEPS)} {step}{', by the run that was stopped' if is_done else ''}")


def print_gate(release: Release) -> None:
    """Print the comparisons with the version in use."""
    for outcome in release.outcomes:
        if outcome.comparison:
            print_comparison(outcome.comparison)
    gate = release.gate
    if not release.is_new and release.record:
        return
    if not gate.baseline:
        say("gate: no version is in use, nothing to compare with")
    elif gate.is_same:
        say(f"gate: the same weights and settings as {gate.baseline}, nothing to compare")
    for result in gate.results:
        left_out = f", without {result.n_learned:,} that a pipeline learned" if result.n_learned else ""
        say(f"gate, {result.n_passages:,} {result.test_set} passages{left_out}: {result.verdict}")
    if gate.forced:
        warn(f"Released although the gate failed: {gate.forced}")


def print_release(release: Release, registry: Registry) -> None:
    """Print the version."""
    record = release.record
    if record is None:
        return
    named = f"{record.package} {record.version} {record.content[:12]}"
    if not release.is_new:
        say(f"already released as {named}")
        return
    say(f"released {named}: {record.bump}")
    say(f"in {registry.place}/{VERSIONS}/{record.version}, with {CHANGES}")
