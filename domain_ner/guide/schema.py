"""The schema of `guide.yml`; errors in the file name its line."""

import re
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from srsly.ruamel_yaml import YAML, YAMLError

from domain_ner.errors import DomainNerError, raise_for

# The start of a definition, and of the reason of an edge case, that `init-guide` leaves to the annotators.
PLACEHOLDER = "Say in a sentence or two what is annotated as"
UNDECIDED = "decide:"


def _is_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as err:
        raise ValueError(f"no valid regular expression: {err}") from err
    return pattern


Pattern = Annotated[str, AfterValidator(_is_pattern)]
# As in spaCy: any name. White space at its edges would be invisible.
Label = Annotated[str, Field(pattern=r"^\S(?:[^\n\r]*\S)?$")]


class _Strict(BaseModel):
    """A frozen model that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rules(_Strict):
    """Rules for a span's surface that a machine can check.

    must_match, must_not_match: regular expressions, searched in the surface (anchor them with ^ and $).
    must_not_start_with, must_not_end_with: words, in any case.
    must_take_after: words that belong to the span when they follow it, in any case ("team" after "Payments").
    min_tokens, max_tokens: words and punctuation marks.
    digits, quotes, brackets: whether the surface may contain any. articles: whether a name may begin with one.
    nesting: whether a span of this type may be inside another.
    may_share_surface_with: types that may have the same surfaces, so that context decides.
    """

    must_match: tuple[Pattern, ...] = ()
    must_not_match: tuple[Pattern, ...] = ()
    must_not_start_with: tuple[str, ...] = ()
    must_not_end_with: tuple[str, ...] = ()
    must_take_after: tuple[str, ...] = ()
    min_tokens: int = Field(default=1, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    digits: bool = True
    quotes: bool = False
    brackets: bool = True
    articles: bool = False
    nesting: bool = False
    may_share_surface_with: tuple[Label, ...] = ()


class EdgeCase(_Strict):
    """A sentence that annotators get wrong, marked correctly, with the reason. It may have no entity at all."""

    text: str = Field(min_length=1)
    why: str = Field(min_length=1)


class EntityType(_Strict):
    """A type: what it means, sentences with inline markup, edge cases, rules, and a colour for annotation tools."""

    label: Label
    definition: str = Field(min_length=1)
    colour: str = Field(default="#c0d6e4", pattern=r"^#[0-9a-fA-F]{6}$")
    examples: tuple[str, ...] = ()
    edge_cases: tuple[EdgeCase, ...] = ()
    rules: Rules = Rules()


class NotEntities(_Strict):
    """Surfaces that are never annotated, in any case, with the reason."""

    surfaces: tuple[str, ...] = Field(min_length=1)
    why: str = Field(min_length=1)


class Deliberate(_Strict):
    """A finding that is correct as it is: its kind, the surface, part of the passage if only there, and the reason."""

    kind: str = Field(min_length=1)
    surface: str = Field(min_length=1)
    text: str = ""
    why: str = Field(min_length=1)


class Guide(_Strict):
    """An annotation guide."""

    title: str = "Annotation guide"
    types: tuple[EntityType, ...] = Field(min_length=1)
    not_entities: tuple[NotEntities, ...] = ()
    deliberate: tuple[Deliberate, ...] = ()

    @property
    def labels(self) -> list[str]:
        """The entity types, in the guide's order."""
        return [entity_type.label for entity_type in self.types]

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each entity type, `#rrggbb`."""
        return {entity_type.label: entity_type.colour for entity_type in self.types}

    def type_of(self, label: str) -> EntityType:
        """Look up the entry of a type. Raises KeyError if there is none."""
        return {entity_type.label: entity_type for entity_type in self.types}[label]


def load_guide(path: Path) -> Guide:
    """Read and check a guide.

    Raises DomainNerError when the file is missing or not YAML, or when its schema has faults, with the line of each.
    """
    content = _load_yaml(path)
    try:
        guide = Guide.model_validate(srsly.json_loads(srsly.json_dumps(content)))
    except ValidationError as err:
        problems = [f"{path.name}:{_line(content, error['loc'])}: {_describe(error)}" for error in err.errors()]
        raise_for(
            problems,
            summary="The guide has {n} schema errors:",
            fix="domain_ner/guide/schema.py defines the keys and their values.",
        )
        raise  # not reached: there is at least one problem
    doubled = {label for label in guide.labels if guide.labels.count(label) > 1}
    if doubled:
        raise DomainNerError(f"{path.name}: {', '.join(sorted(doubled))} has several entries; expected one per type.")
    return guide


def _load_yaml(path: Path) -> Any:
    try:
        return YAML(typ="rt").load(path.read_text(encoding="utf8"))
    except OSError as err:
        raise DomainNerError(
            f"Cannot read the guide {path}: {err.strerror}.", "init-guide writes one from annotations."
        ) from err
    except (YAMLError, UnicodeDecodeError) as err:
        mark = getattr(err, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise DomainNerError(f"{path.name}{where}: not valid YAML: {getattr(err, 'problem', None) or err}") from err


def _line(content: Any, location: tuple[str | int, ...]) -> int:
    """Find the line, from 1, of the innermost part of `location` in the file."""
    line = 1
    for key in location:
        try:
            position = content.lc.data[key]
            content = content[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
        line = position[0] + 1
    return line


def _describe(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    value = f", but it is {error['input']!r}"[:80] if error["type"] not in {"missing", "extra_forbidden"} else ""
    return f"{where}: {error['msg']}{value}"


def line_index(path: Path) -> dict[tuple[str | int, ...], int]:
    """Map each place in a guide, such as ("types", 0, "examples", 2), to its line."""
    content = _load_yaml(path)
    places: list[tuple[str | int, ...]] = []
    for n_type, entry in enumerate(content.get("types", [])):
        places += [("types", n_type), ("types", n_type, "definition")]
        for key in ("examples", "edge_cases"):
            places += [("types", n_type, key, n) for n in range(len(entry.get(key) or []))]
    places += [("not_entities", n) for n in range(len(content.get("not_entities") or []))]
    return {place: _line(content, place) for place in places}
