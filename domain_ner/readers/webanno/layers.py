"""Chooses the layer and feature of a WebAnno file with the named entities, from its header."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain_ner.annotations.records import FileLog, ReaderOptions
from domain_ner.errors import DomainNerError

SPAN_LAYER = "#T_SP="
# Layers of the tools themselves that are spans without entities.
BUILT_IN = (
    "de.tudarmstadt.ukp.dkpro.core.api.", "de.tudarmstadt.ukp.clarin.", "de.tudarmstadt.ukp.inception.",
    "org.dkpro.core.api.", "uima.",
)  # fmt: skip
NAMED_ENTITY = "namedentity"
VALUE_NAMES = ("value", "label", "type", "entity", "entitytype", "category", "class", "tag", "name")
# Types of features that link an annotation to something else.
LINKS = ("ROLE_", "BT_", "AttachTo=")
IDENTIFIERS = ("identifier", "id", "entity_id", "kb_id")


@dataclass(frozen=True)
class Column:
    """A feature of a layer. number: of its column, from 0. feature: empty if the layer has none."""

    number: int
    layer: str
    feature: str
    is_span: bool

    @property
    def short_layer(self) -> str:
        """The layer without its package."""
        return self.layer.rpartition(".")[2]

    @property
    def name_as_label(self) -> str | None:
        """The label of an annotation without a value: its layer, if the layer has no features; else None."""
        return None if self.feature else self.short_layer

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a user may give."""
        return (
            self.layer, self.short_layer, self.feature, f"{self.layer}|{self.feature}",
            f"{self.short_layer}|{self.feature}",
        )  # fmt: skip

    @property
    def is_link(self) -> bool:
        """Whether it points to another annotation instead of describing this one."""
        return self.feature.startswith(LINKS) or "." in self.feature


def parse_header(line: str) -> list[Column]:
    """Parse the columns, numbered from 0, from a `#T_SP=layer|feature|…` line of version 3."""
    layer, *features = [part for part in line.partition("=")[2].strip().split("|") if part] or [""]
    is_span = line.startswith(SPAN_LAYER)
    return [Column(n, layer, feature, is_span) for n, feature in enumerate(features or [""])]


def parse_old_header(line: str) -> list[Column]:
    """Parse the columns from the header line of version 2 (`# layer | feature # layer | …`); empty for others."""
    columns: list[Column] = []
    for part in line.strip().split("#"):
        layer, *features = [name.strip() for name in part.split("|")]
        if not layer:
            continue
        if "." not in layer or " " in layer or not features:
            return []
        is_span = not any(feature.startswith("AttachTo=") for feature in features)
        columns += [Column(len(columns) + n, layer, feature, is_span) for n, feature in enumerate(features)]
    return columns


def choose_column(columns: Sequence[Column], options: ReaderOptions, log: FileLog) -> Column | None:
    """Choose the column with the entity types; None if no layer can have any, because none was annotated.

    Layers named NamedEntity take precedence, then those with `entity` in their name, then custom ones.
    Raises DomainNerError if several layers are equally likely, and `options.field` names none.
    """
    spans = [column for column in columns if column.is_span]
    asked = [column for column in spans if options.field in column.names] if options.field else []
    candidates = asked or _likeliest([] if options.field else spans)
    layers = list(dict.fromkeys(column.layer for column in candidates))
    if len(layers) > 1:
        raise DomainNerError(
            f"{log.file}: the layers {' and '.join(layers)} may each have the entities.",
            "Name the one to read in vars.reading (field=…), with its feature if it has several: Layer|feature.",
        )
    if not layers:
        description = ", ".join(dict.fromkeys(column.short_layer for column in columns)) or "none"
        log.note(f"no layer has {options.field or 'entities'} (layers: {description}): read as annotated without any")
        return None
    chosen = _value_column(candidates)
    description = (
        f"{chosen.layer}, feature {chosen.feature}" if chosen.feature else f"{chosen.layer}, which has no features"
    )
    log.note(f"entities from the layer {description}")
    return chosen


def _likeliest(spans: Sequence[Column]) -> list[Column]:
    ranks = {column: _rank(column) for column in spans}
    best = max(ranks.values(), default=0)
    return [column for column in spans if best and ranks[column] == best]


def _rank(column: Column) -> int:
    name = column.short_layer.lower()
    if NAMED_ENTITY in name:
        return 4
    if column.layer.startswith(BUILT_IN):
        return 0
    if "entit" in name:
        return 3
    return 1 if column.is_link else 2


def _value_column(columns: Sequence[Column]) -> Column:
    values = [column for column in columns if not column.is_link] or list(columns)
    for name in VALUE_NAMES:
        for column in values:
            if column.feature.lower() == name:
                return column
    return next((column for column in values if column.feature.lower() not in IDENTIFIERS), values[0])
