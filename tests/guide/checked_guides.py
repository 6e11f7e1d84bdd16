"""A small guide, and passages checked against it."""

from domain_ner.annotations.passages import Passage
from domain_ner.guide.markup import parse_markup
from domain_ner.guide.schema import line_index, load_guide
from domain_ner.guide.validate import Corpus, GuideFile, validate

MINIMAL = """
types:
  - label: TEAM
    definition: a group
    examples: ["[Ops](TEAM) called", "ask [Legal](TEAM)", "[Sales](TEAM)", "[HR](TEAM)", "[Risk](TEAM)"]
    edge_cases: &cases
      - {text: "a", why: b}
      - {text: "c", why: b}
      - {text: "d", why: b}
      - {text: "e", why: b}
      - {text: "f", why: b}
    rules: {must_take_after: [team], max_tokens: 3, brackets: false}
  - label: INFRA
    definition: a product
    examples: ["[Redis](INFRA)", "[S3](INFRA)", "[Kafka](INFRA)", "[NATS](INFRA)", "[Vault](INFRA)"]
    edge_cases: *cases
    rules: {must_not_match: ["="], digits: true}
not_entities:
  - {surfaces: [the database], why: unnamed}
"""
FEW = ("too few mentions", "passages without entities")


def check_passages(folder, marked=(), *, guide=MINIMAL, problems=(), annotators=None, trimmed=()):
    """Validate passages in markup against a guide, and return the findings that are not about size."""
    path = folder / "guide.yml"
    path.write_text(guide, encoding="utf8")
    names = annotators or [""] * len(marked)
    parsed = [parse_markup(text) for text in marked]
    passages = [
        Passage(t, s, f"a.jsonl:{n}", {}, who) for n, ((t, s), who) in enumerate(zip(parsed, names, strict=True), 1)
    ]
    passages += trimmed
    kept = list({passage.text: passage for passage in reversed(passages)}.values())[::-1]
    corpus = Corpus(passages, kept, problems)
    found = validate(GuideFile(load_guide(path), path.name, line_index(path)), corpus)
    return [finding for finding in found.findings if finding.kind not in FEW]


def kinds(findings):
    return [finding.kind for finding in findings]


def errors(findings):
    return [finding.kind for finding in findings if finding.severity == "error"]
