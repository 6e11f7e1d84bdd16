"""`convert`: annotation exports to train, dev and test corpora, with an account of every annotation."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from reprlib import repr as short
from typing import Any

import typer
from _console import (
    LABELS_HELP,
    READING_HELP,
    check_choices,
    check_share,
    out,
    progress,
    run,
    say,
    split_names,
    table,
    warn,
)
from spacy.tokens import Doc

from domain_ner.annotations.records import ACCEPTED
from domain_ner.conversion.exports import (
    Annotations,
    ImportSettings,
    read_annotations,
    require_usable,
    unknown_annotators,
    unknown_labels,
)
from domain_ner.conversion.ledger import FATES, IN_CORPUS, KEPT, Ledger
from domain_ner.conversion.spans import OVERLAPS
from domain_ner.corpus.assignments import DEV, SPLITS, TEST, TRAIN, SplitAssignment
from domain_ner.corpus.corpus_file import CorpusFile
from domain_ner.corpus.docs import MISALIGNED, DocRules, make_doc
from domain_ner.corpus.file_splits import FILES, divide_by_files, pooled
from domain_ner.corpus.grouping import count_ungrouped
from domain_ner.corpus.languages import blank
from domain_ner.corpus.normalization import MODES
from domain_ner.corpus.splits import Division, SplitRules, divide, parse_fractions
from domain_ner.corpus.token_splits import SplitRule, learn_splits
from domain_ner.errors import DomainNerError, group_cases, without_details
from domain_ner.files import atomic_path, together, write_text
from domain_ner.guide.schema import load_guide
from domain_ner.writers.passages import excerpts_by_digest

MAX_LISTED = 12
MAX_SHOWN = 3
STOP, ACCEPT = TEST_CHANGES = ("stop", "accept")
LEARNED = "a token is split there, and the tokenizer learns it"
UNCONFIRMED = "an edge inside a word that no other annotation confirms"


def main(
    annotations: Path = typer.Argument(..., help="Folder with the exports, of any format that can be read."),
    corpus: Path = typer.Argument(..., help="Folder for train.spacy, dev.spacy, test.spacy and tokenizer.json."),
    reports: Path = typer.Argument(..., help="Folder for ledger.jsonl, ledger.json and left_out.jsonl."),
    guide: Path = typer.Option(..., help="The annotation guide, whose types are the labels that may occur."),
    lang: str = typer.Option("en", help="spaCy's code of the language."),
    assigned: Path | None = typer.Option(None, help="File that keeps which group is in which split (JSON)."),
    splits: str = typer.Option(
        "0.7,0.1,0.2", help="Shares of train, dev and test, or `files`: as the files are named."
    ),
    group_by: str = typer.Option("", help="Key of `meta` (or `document`): passages with one value stay in one split."),
    seed: int = typer.Option(0, help="Seed of the splits."),
    grow_test: bool = typer.Option(False, "--grow-test", help="Let new passages into the test set too."),
    test_changes: str = typer.Option(
        STOP, help="Where passages of the frozen test set are missing or have another text: stop, or accept."
    ),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help="Annotators to trust where annotations differ, the most trusted first."),
    conflicts: str = typer.Option("stop", help="Where none of these annotated: stop, majority or unknown."),
    overlaps: str = typer.Option("longest", help=f"What doc.ents keeps of overlapping spans: {', '.join(OVERLAPS)}."),
    misaligned: str = typer.Option("split", help=f"Of edges inside a token: {', '.join(MISALIGNED)}."),
    normalize: str = typer.Option("", help="`whitespace`: the same in training and in prediction; empty: no change."),
    max_loss: float = typer.Option(0.005, help="Share of the annotations (0..1) that may be lost."),
) -> None:
    """Convert the annotation exports to corpus/train.spacy, dev.spacy and test.spacy, and write the ledger."""
    check_choices(
        overlaps=(overlaps, OVERLAPS), misaligned=(misaligned, MISALIGNED), normalize=(normalize, MODES),
        test_changes=(test_changes, TEST_CHANGES),
    )  # fmt: skip
    check_share(max_loss=max_loss)
    labels = load_guide(guide).labels
    settings = ImportSettings(labels, reading, label_names, split_names(prefer), conflicts)
    fractions = {} if splits == FILES else parse_fractions(splits)
    rules = SplitRules(
        fractions, group_by, seed, _read_assigned(assigned), grow_test, test_changes == ACCEPT,
        seen=lambda: excerpts_by_digest(corpus / f"{TEST}.spacy"),
    )  # fmt: skip
    with progress() as bar:
        task = bar.add_task("reading", total=None)
        read = read_annotations(
            annotations, settings, on_file=lambda file: say(f"reading {file.name} ({file.title})"),
            on_record=lambda: bar.advance(task),
        )  # fmt: skip
    tell_notes(read.ledger)
    warn(unknown_annotators(read, settings.prefer))
    warn(unknown_labels(read, label_names))
    require_usable(read, max_loss=max_loss)
    tell_groups(read, group_by, splits)
    division = divide_by_files(read.merged) if splits == FILES else divide(read.merged, rules)
    tokenizer = _tokenizer(lang, normalize, ())
    learned = teach(tokenizer, division, read, only_scripts=misaligned != "split")
    for rule in learned:
        say(f"the tokenizer splits {rule.reason}: {', '.join(rule.examples)}")
    tokenizer = _tokenizer(lang, normalize, [rule.pattern for rule in learned])
    doc_rules = DocRules(tokenizer, overlaps, labels, misaligned, normalize)
    docs = make_docs(division, doc_rules, read.ledger)
    read.ledger.check_balance()
    read.ledger.require_loss_below(max_loss)
    with together():
        for name in SPLITS:
            with atomic_path(corpus / f"{name}.spacy") as temporary:
                docs[name].docs.write(temporary)
        of_tokenizer = {"splits": [_rule(rule) for rule in learned], "normalize": normalize}
        write_text(corpus / "tokenizer.json", _json(of_tokenizer))
        write_ledger(read, reports)
        if assigned is not None and splits != FILES:
            write_text(assigned, _json(division.assigned.to_json()))
    print_ledger(read.ledger)
    print_documents(read.ledger)
    print_splits(docs, labels)
    tell_division(division)


def tell_division(division: Division) -> None:
    """Print what is new in the splits, and what of the frozen test set was let go."""
    if division.is_anew:
        warn("of the groups in assets/splits.json none is here: taken for other data, all splits are drawn anew")
    if division.n_new:
        say(f"{division.n_new} new groups; the others stay in the split where they were")
    if division.n_joined:
        say(f"{division.n_joined} new passages are in the test set, with the groups that they belong to")
    for line in division.changes.lines():
        warn(f"the test set has changed, as you accepted: {line}")


def tell_groups(read: Annotations, group_by: str, splits: str) -> None:
    """Print which passages lack the key that keeps them together, and files that look divided already.

    Raises DomainNerError when no passage has the key, and the key decides what is in which split.
    """
    by_name = splits == FILES
    try:
        n_without = count_ungrouped(read.merged, group_by) if group_by else 0
    except DomainNerError as error:
        if not by_name:
            raise
        warn(f"{error.message} The evaluation takes each passage for itself.")
        return
    if n_without and not by_name:
        warn(
            f"{n_without:,} of {len(read.merged):,} passages have no {group_by!r} (vars.group_by): each of them goes to"
            " a split by itself, together with nearly the same text alone"
        )
    warn("" if by_name else pooled(read.ledger.n_read))


def teach(tokenizer: Any, division: Division, read: Annotations, *, only_scripts: bool) -> Sequence[SplitRule]:
    """What the tokenizer must split, learned from train and dev; the test set is not looked at.

    only_scripts: nothing but scripts without spaces into characters.
    """
    parts = [division.splits[TRAIN], division.splits[DEV]]
    learned = learn_splits(parts, tokenizer, versions=read.passages, only_scripts=only_scripts)
    for row in learned.rows:
        read.ledger.repair(row, LEARNED)
    for shown in learned.doubtful:
        read.ledger.doubt(shown.row, f"{UNCONFIRMED}: {shown.told}")
    for shown in learned.doubtful[:MAX_SHOWN]:
        warn(f"{shown.source}: {short(shown.surface)} ({shown.label}) has {UNCONFIRMED}: {shown.told}; not learned")
    if len(learned.doubtful) > MAX_SHOWN:
        warn(f"… and {len(learned.doubtful) - MAX_SHOWN} more edges inside words, all in ledger.jsonl")
    return learned.rules


@dataclass
class Corpus:
    """The documents of a split in spaCy's training format, and what there is to tell of them."""

    docs: CorpusFile = field(default_factory=CorpusFile)
    n_tokens: int = 0
    mentions: Counter[str] = field(default_factory=Counter)

    def add(self, doc: Doc) -> None:
        """Add a document, which need not be kept."""
        self.docs.add(doc)
        self.n_tokens += len(doc)
        self.mentions.update(ent.label_ for ent in doc.ents)


def make_docs(division: Division, rules: DocRules, ledger: Ledger) -> dict[str, Corpus]:
    """The documents of each split, with a progress bar."""
    with progress() as bar:
        task = bar.add_task("converting", total=sum(map(len, division.splits.values())))
        made = {name: Corpus() for name in SPLITS}
        for name in SPLITS:
            for passage in division.splits[name]:
                made[name].add(make_doc(passage, rules, ledger, split=name))
                bar.advance(task)
    return made


def tell_notes(ledger: Ledger) -> None:
    """Print what the readers noticed; of what they noticed many times, the first case. All are in ledger.json."""
    for folded in group_cases(ledger.notes, lambda entry: without_details(entry[1])):
        file, note = folded.first
        say(f"{file}: {note}{folded.more(lambda entry: entry[0])}")


def write_ledger(read: Annotations, reports: Path) -> None:
    """Write ledger.jsonl (a line an annotation), left_out.jsonl (a line an accepted document that is no passage of its
    own), and ledger.json (the sums).
    """
    ledger = read.ledger
    for name, lines in (("ledger.jsonl", ledger.to_jsonl()), ("left_out.jsonl", ledger.left_out_to_jsonl())):
        with atomic_path(reports / name) as temporary, temporary.open("w", encoding="utf8", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    fates, hows = ledger.fates(), ledger.hows()
    summary = {
        "annotations": len(ledger.rows),
        "fates": {fate: fates[fate] for fate in FATES if fates[fate]},
        "how": [{"fate": fate, "how": how, "n": n} for (fate, how), n in hows.most_common()],
        "documents": dict(ledger.documents),
        "accepted": dict(ledger.passages),
        "files": dict(sorted(ledger.n_read.items())),
        "lost": {loss.kind: {"n": loss.n_lost, "of": loss.n, "share": loss.share} for loss in ledger.losses_by_kind()},
        "notes": [{"file": file, "note": note} for file, note in ledger.notes],
    }
    write_text(reports / "ledger.json", _json(summary))


def print_ledger(ledger: Ledger) -> None:
    """Print what became of the annotations, the reasons, and the first of those that were lost."""
    fates, hows = ledger.fates(), ledger.hows()
    printed = table("annotations", "", title=f"{len(ledger.rows)} annotations read")
    for total, some in ((IN_CORPUS, KEPT), ("not in the corpus", [fate for fate in FATES if fate not in KEPT])):
        for fate in some:
            if fates[fate]:
                printed.add_row(fate, str(fates[fate]))
                for (of_fate, how), n in hows.most_common():
                    if of_fate == fate:
                        printed.add_row(f"    {how}", str(n))
        printed.add_section()
        printed.add_row(total, str(sum(fates[fate] for fate in some)))
        printed.add_section()
    out.print(printed)
    lost = [str(loss) for loss in ledger.losses_by_kind() if loss.n_lost]
    if lost:
        say(f"lost: {' and '.join(lost)}")
    lines = ledger.folded_losses()
    for line in lines[:MAX_LISTED]:
        say(f"lost: {line}")
    if len(lines) > MAX_LISTED:
        say(f"… and for {len(lines) - MAX_LISTED} reasons more, all in ledger.jsonl")


def print_documents(ledger: Ledger) -> None:
    """Print what became of the documents, and which of the accepted ones are no passage of the corpus."""
    printed = table("documents", "", title=f"{ledger.documents.total()} documents read")
    reasons = [(reason, n) for reason, n in ledger.passages.most_common() if reason != IN_CORPUS]
    for what, n in [(IN_CORPUS, ledger.passages[IN_CORPUS]), *reasons]:
        printed.add_row(what, str(n))
    printed.add_section()
    for answer in sorted(ledger.documents, key=lambda answer: answer != ACCEPTED):
        printed.add_row(answer, str(ledger.documents[answer]))
    out.print(printed)
    for source, reason, kept in islice(ledger.left_out, MAX_SHOWN):
        say(f"{source}: {reason}{f', {kept}' if kept else ''}")
    if len(ledger.left_out) > MAX_SHOWN:
        say(f"… and {len(ledger.left_out) - MAX_SHOWN} more, all in left_out.jsonl")


def print_splits(docs: Mapping[str, Corpus], labels: Sequence[str]) -> None:
    """Print passages, tokens and mentions of each split."""
    printed = table("", *SPLITS)
    printed.add_row("passages", *(str(len(docs[name].docs)) for name in SPLITS))
    printed.add_row("tokens", *(str(docs[name].n_tokens) for name in SPLITS))
    for label in labels:
        printed.add_row(label, *(str(docs[name].mentions[label]) for name in SPLITS))
    out.print(printed)


def _tokenizer(lang: str, normalize: str, splits: Sequence[str]) -> Any:
    tokenizer = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": list(splits), "normalize": normalize}
    return blank(lang, {"nlp": {"tokenizer": tokenizer}}).tokenizer


def _read_assigned(path: Path | None) -> SplitAssignment:
    if path is None or not path.is_file():
        return SplitAssignment()
    try:
        read = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise DomainNerError(
            f"{path} is not valid JSON: {error}.", "Restore it, or remove it to split anew."
        ) from error
    try:
        return SplitAssignment.from_json(read)
    except ValueError as error:
        raise DomainNerError(f"{path} holds something else: {error}.", "Restore it, or remove it.") from error


def _rule(rule: SplitRule) -> dict[str, Any]:
    return {"pattern": rule.pattern, "reason": rule.reason, "examples": list(rule.examples)}


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    run(main, writes=["corpus"])
