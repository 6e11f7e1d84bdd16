"""What is sent round: passages that are annotated already, and passages that two annotators annotate in the tool.

Each case has what some tool, format or library on the way is known to stumble on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain_ner.annotations.passages import LabelledSpan, Passage

GROUP_BY = "customer"
ANNA, BEN, EVE = "anna@example.org", "ben@example.org", "eve@example.org"
Spans = tuple[LabelledSpan, ...]


@dataclass(frozen=True)
class Case:
    """A text that is sent round.

    answers: what each annotator says of it; where it is annotated already, the one who did. Nobody: it stays open.
    document: empty where the tool's own id names it.
    """

    name: str
    text: str
    answers: Mapping[str, Spans] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    document: str = ""

    def passage(self) -> Passage:
        """As it is exported: with the annotation of the first annotator, or open."""
        who, spans = next(iter(self.answers.items()), ("", ()))
        return Passage(
            self.text, spans, f"{self.name}:1", self.meta, who, document=self.document, partial=not self.answers
        )

    def before(self) -> "Case":
        """The case before anybody annotates it."""
        return replace(self, answers={})

    def by(self, *annotators: str) -> "Case":
        """The case with the annotations of these alone."""
        return replace(self, answers={who: said for who, said in self.answers.items() if who in annotators})


def spans(text: str, *found: tuple[str, str]) -> Spans:
    """The first place of each of these words, under its label."""
    return tuple(
        sorted(LabelledSpan(text.index(words), text.index(words) + len(words), label) for words, label in found)
    )


def _done(name: str, text: str, /, *found: tuple[str, str], **meta: Any) -> Case:
    """A case that is annotated before it is imported."""
    return Case(name, text, {EVE: spans(text, *found)}, meta, f"doc-{name}")


def _asked(name: str, text: str, anna: list[tuple[str, str]], ben: list[tuple[str, str]] | None, **meta: Any) -> Case:
    """A case that is annotated in the tool. ben: None where he does not annotate it."""
    said = {ANNA: spans(text, *anna)} | ({BEN: spans(text, *ben)} if ben is not None else {})
    return Case(name, text, said, meta, f"doc-{name}")


def _foreign(name: str, text: str, *found: tuple[str, str], **meta: Any) -> Case:
    """A case that the tool knows by a number of its own."""
    return Case(name, text, {ANNA: spans(text, *found)}, meta)


ANNOTATED = (
    _done("plain", "The checkout-api is down since Monday.", ("checkout-api", "SERVICE"), customer=1),
    _done(
        "emoji", "🔥 Payments 👩‍👩‍👧 uses Redis 7 🎉 in prod.",
        ("Payments", "TEAM"), ("Redis 7", "INFRA"), ("prod", "LOC:env"), customer=2,
    ),
    _done(
        "combining", "Cafe\u0301 Zoe\u0308 pays 🇳🇴 in Troms\u00f8.",
        ("Cafe\u0301 Zoe\u0308", "TEAM"), ("Troms\u00f8", "Größe"),
    ),
    _done("crlf", "First Kafka line\r\nsecond Redis line\r\n", ("Kafka", "INFRA"), ("Redis", "INFRA"), customer=3),
    _done("line ends", "First Kafka line\n\nthen\u2028Redis", ("Kafka", "INFRA"), ("Redis", "INFRA"), customer=3),
    _done("tabs", "host\tdb-01\t\tis down", ("db-01", "INFRA"), customer=4),
    _done("edges", "  Redis is up.  ", ("Redis", "INFRA"), customer=4, score=0.5),
    _done(
        "nested", "The data team of Payments owns it.",
        ("data team of Payments", "TEAM"), ("Payments", "TEAM"), ("team of", "first name"), customer=5,
    ),
    _done("same span", "Kafka is two things.", ("Kafka", "INFRA"), ("Kafka", "SERVICE"), customer=5),
    _done("labels", "Anna met Ben in Rome.", ("Anna", "first name"), ("Rome", "LOC:city"), ("Ben", "名前"), customer=6),
    _done("nothing", "Nobody was called at night.", customer=6),
    _done("quotes", "He said \"yes, no\"; {'a': [1]} \\n \\\\ Redis; a,b", ("Redis", "INFRA"), customer=7),
    _done("markup", "<b>Redis</b> &amp; Kafka &lt; 3 <br> done", ("Redis", "INFRA"), ("Kafka", "INFRA"), customer=8),
    _done("other scripts", "数据库 Redis 很快。 שלום עולם Kafka", ("数据库", "INFRA"), ("Kafka", "INFRA"), customer=9),
    _done("not a number", "NA", ("NA", "INFRA"), customer=10),
    _done("number", "007", customer=10),
    _done(
        "meta", "Queues of Zulu fell over.", ("Zulu", "TEAM"), customer=11, tags=["a", "b"], flag=True, score=0.3,
        note="", nothing=None, deep={"text": "x", "label": []}, id="own id", label="own label",
        text="own text", data="own data",
    ),
)  # fmt: skip
ASKED = (
    _asked(
        "asked plain", "Who restarted billing-api at noon?",
        [("billing-api", "SERVICE")], [("billing-api", "SERVICE")],
    ),
    _asked(
        "asked emoji", "🎉 Team 🇩🇪 Atlas moved 👍🏽 Vault.",
        [("Atlas", "TEAM"), ("Vault", "INFRA")], [("Atlas", "TEAM"), ("Vault", "INFRA")], customer=12,
    ),
    _asked(
        "asked crlf", "Etcd\r\n\tfailed, Consul\r\ntoo",
        [("Etcd", "INFRA")], [("Etcd", "INFRA"), ("Consul", "INFRA")], customer=1,
    ),
    _asked(
        "asked nested", "Platform team of Atlas pages Ines.",
        [("Platform team of Atlas", "TEAM"), ("Atlas", "TEAM"), ("Ines", "first name")],
        [("Platform team of Atlas", "TEAM"), ("Ines", "first name")], customer=12,
    ),
    _asked("asked, nothing there", "It rained all day long.", [], [], customer=13),
    _asked("asked, only one saw names", "Nomad met Mercury there.", [("Nomad", "INFRA")], [], customer=13),
    _asked(
        "asked of one", "Grafana shows it in Nice.", [("Grafana", "INFRA"), ("Nice", "LOC:city")], None, customer=14,
    ),
)  # fmt: skip
OPEN = (Case("open", "Loki waits for somebody to look.", {}, {"customer": 14}, "doc-open"),)
EMPTY = (Case("empty", "", {}, {"customer": 14}, "doc-empty"),)
# Rows as people import them, without our export: the tool's own ids, and a number under a key that some of them lack.
FOREIGN = (
    _foreign("foreign, number", "Hermes of row one comes from elsewhere.", ("Hermes", "TEAM"), customer=15),
    _foreign("foreign, none", "In row two 🌈 Iris comes too.", ("Iris", "TEAM")),
    _foreign("foreign, long number", "Row three is of Juno alone.", ("Juno", "TEAM"), customer=2**53 + 1),
)
# Of Label Studio: paragraphs of a dialogue, which line ends join, and a task with two texts.
DIALOGUE = (
    Case(
        "dialogue", "Redis is slow.\nKafka as well 🙂, Vault?\nNo.",
        {
            ANNA: spans("Redis is slow.\nKafka as well 🙂, Vault?", ("Redis", "INFRA"), ("Vault", "INFRA")),
            BEN: spans("Redis is slow.\nKafka as well 🙂, Vault?", ("slow.\nKafka", "TEAM")),
        },
        {"customer": 17},
    ),
)  # fmt: skip
TITLE_AND_BODY = (
    _foreign("title", "Consul: an outage", ("Consul", "INFRA"), customer=18),
    _foreign("body", "It took 🧯 Nomad, too.", ("Nomad", "INFRA"), customer=18),
)
SENT = (*ANNOTATED, *ASKED, *OPEN, *EMPTY)
LABELS = sorted({span.label for case in (*SENT, *FOREIGN) for said in case.answers.values() for span in said})


def names(*cases: Case) -> frozenset[str]:
    """The names of cases."""
    return frozenset(case.name for case in cases)
