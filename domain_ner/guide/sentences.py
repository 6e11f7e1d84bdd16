"""The marked sentences of a guide, its examples and edge cases, as annotated passages."""

from collections.abc import Iterator

from domain_ner.annotations.passages import Passage
from domain_ner.guide.markup import MarkupError, parse_markup
from domain_ner.guide.schema import Guide


def guide_passages(guide: Guide) -> Iterator[Passage]:
    """Yield each sentence once, with the spans of the guide's types. What is not marked is no entity.

    Sentences whose markup is broken are left out: `validate` reports them.
    """
    seen = set[str]()
    for entity_type in guide.types:
        for marked in (*entity_type.examples, *(case.text for case in entity_type.edge_cases)):
            try:
                text, spans = parse_markup(marked, guide.labels)
            except MarkupError:
                continue
            if text not in seen:
                seen.add(text)
                known = tuple(span for span in spans if span.label in guide.labels)
                yield Passage(text, known, f"guide:{len(seen)}", rows=tuple(range(len(known))))
