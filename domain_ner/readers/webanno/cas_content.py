"""Reads the content of a UIMA CAS: its text, and the annotations that may be entities, with `dkpro-cassis`.

The library generates code for each type, with the names of its features. They are checked first: only plain words get
into generated code.
"""

import io
import json
import keyword
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.files import Pickled
from domain_ner.readers.json_files.json_rows import json_rows
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.text_files.libraries import library
from domain_ner.readers.text_files.xml_text import find_root, open_xml
from domain_ner.readers.webanno.cas_files import CasFile
from domain_ner.readers.webanno.layers import BUILT_IN, NAMED_ENTITY, Column

TYPES = "%TYPES"
ANNOTATION, STRING, STRING_ARRAY = "uima.tcas.Annotation", "uima.cas.String", "uima.cas.StringArray"
BASE_FEATURES = {"sofa", "begin", "end"}
# The library renames features whose names have a meaning for it.
RENAMED = {"self_": "self", "type_": "type"}
RELATION, CHAIN = {"Governor", "Dependent"}, "next"
UNMAPPED = re.compile(r"Not mapping external offset \[(-?\d+)\]")


class CasError(ValueError):
    """Why a CAS cannot be read."""


@dataclass(frozen=True, slots=True)
class CasSpan(Pickled):
    """An annotation. start, end: code points. layer: the name of its layer, as in a Column; type: its own, without its
    package. values: of its string features, a list if a feature has several. fault: as in a SourceSpan.
    """

    start: Any
    end: Any
    layer: str
    type: str
    values: Mapping[str, Any]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class CasText(Pickled):
    """A text of a CAS, and the annotations that may be entities.

    name: of its file, as reports cite it. document, annotator: from the place of the file, else from the CAS.
    columns: the features of its annotations' layers.
    """

    name: str
    document: str
    annotator: str
    text: str
    spans: tuple[CasSpan, ...]
    columns: tuple[Column, ...]


def load_texts(file: CasFile, layer: str) -> list[CasText]:
    """Load the texts of a CAS, usually one.

    layer: the user's choice (`Layer` or `Layer|feature`), empty for layers that may have entities.
    Raises CasError, or DomainNerError, if it cannot be read.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            is_json = find_root(read_sample(file.path)[0]) is None
            cas = _load_json(file.path) if is_json else _load_xmi(file)
            unmapped = {int(match[1]) for warning in caught if (match := UNMAPPED.search(str(warning.message)))}
            return list(_texts(cas, file, layer.partition("|")[0], unmapped))
        except (DomainNerError, CasError):
            raise
        except Exception as err:  # a damaged CAS can raise anything in the library
            raise CasError(f"not a readable CAS ({type(err).__name__}: {err})") from err


def _load_xmi(file: CasFile) -> Any:
    if not file.type_systems:
        raise CasError("its type system is not beside it: expected TypeSystem.xml, as the export has it")
    cassis = library("cassis")
    types = [_type_system(_bytes(path)) for path in file.type_systems]
    with open_xml(file.path, FileLog(file.name)) as stream:
        merged = types[0] if len(types) == 1 else cassis.merge_typesystems(*types)
        return cassis.load_cas_from_xmi(stream, typesystem=merged)


def _load_json(path: Path) -> Any:
    log = FileLog(path.name)
    whole = [row for _, row in json_rows(path, log)]
    if log.problems or len(whole) != 1:
        raise CasError(log.problems[0][1] if log.problems else f"{len(whole)} JSON values; expected one")
    types = whole[0].get(TYPES) if isinstance(whole[0], Mapping) else None
    if not isinstance(types, Mapping):
        raise CasError(f"it has no type system ({TYPES}): export it with one")
    _require_plain_names(
        (name, feature) for name, features in types.items() for feature in features if not feature.startswith("%")
    )
    return library("cassis").load_cas_from_json(json.dumps(whole[0]))


def _bytes(path: Path) -> bytes:
    with open_xml(path, FileLog(path.name)) as stream:
        return b"".join(iter(stream.read, b""))


@lru_cache(maxsize=4)  # all CAS of a project share one, and loading takes long
def _type_system(xml: bytes) -> Any:
    types = library("cassis").load_typesystem(io.BytesIO(xml))
    _require_plain_names((kind.name, feature.name) for kind in types.get_types() for feature in kind.features)
    return types


def _require_plain_names(names: Iterator[tuple[str, str]]) -> None:
    """Raise CasError for a feature whose name is not a plain word. names: (layer, feature)."""
    for layer, feature in names:
        if not feature.isidentifier() or feature.startswith("__") or keyword.iskeyword(feature):
            raise CasError(
                f"the layer {layer} has a feature called {short(feature)}; names of letters, digits and _ can be read,"
                " but no word of Python: export as WebAnno TSV 3.3 instead"
            )


def _texts(cas: Any, file: CasFile, layer: str, unmapped: set[int]) -> Iterator[CasText]:
    document, annotator = _origin(cas)
    document, annotator = file.document or document or PurePosixPath(file.name).stem, file.annotator or annotator
    n_texts = 0
    for view in cas.views:
        annotations = [
            annotation
            for annotation in view.get_all_fs()
            if _is_annotation(annotation.type) and _is_candidate(annotation.type, layer)
        ]
        text = view.sofa.sofaString
        if text is None and annotations:
            raise CasError(f"{len(annotations)} annotations of a text that is not in it")
        if text is None:
            continue
        if not isinstance(text, str):
            raise CasError(f"its text is {short(text)}; expected a string")
        n_texts += 1
        layers = {annotation.type: _layer_of(annotation.type, layer) for annotation in annotations}
        columns = dict.fromkeys(column for annotation in layers.values() for column in _columns(annotation))
        spans = [_span(annotation, layers[annotation.type].name, unmapped) for annotation in annotations]
        spans.sort(key=_place)
        yield CasText(file.name, document, annotator, text, tuple(spans), tuple(columns))
    if not n_texts:
        raise CasError("it has no text")


def _span(annotation: Any, layer: str, unmapped: set[int]) -> CasSpan:
    start, end = annotation.begin, annotation.end
    # The library passes unknown offsets on; one may equal a valid offset by chance.
    fault = "its offsets are no place in the text" if {start, end} & unmapped else ""
    values = {RENAMED.get(name, name): _value(annotation[name]) for name in _string_features(annotation.type)}
    return CasSpan(start, end, layer, _short(annotation.type.name), values, fault)


def _place(span: CasSpan) -> tuple[int, int]:
    start, end = (value if isinstance(value, int) else 0 for value in (span.start, span.end))
    return start, -end


def _value(value: Any) -> Any:
    return list(value.elements or ()) if hasattr(value, "elements") else value


def _origin(cas: Any) -> tuple[str, str]:
    """Return (document, annotator), as the tools record them in a CAS."""
    values: dict[str, str] = {}
    for view in cas.views:
        for structure in view.get_all_fs():
            if _short(structure.type.name) in ("DocumentMetaData", "CASMetadata"):
                known = {feature.name for feature in structure.type.all_features}
                names = ("documentTitle", "documentId", "sourceDocumentName", "username")
                values |= {
                    name: structure[name] for name in names if name in known and isinstance(structure[name], str)
                }
    document = next(
        (values[name] for name in ("sourceDocumentName", "documentTitle", "documentId") if name in values), ""
    )
    return document, values.get("username", "")


def _is_candidate(kind: Any, layer: str) -> bool:
    """Whether annotations of a type may be entities: those of the tools' own layers only if named."""
    if layer and any(layer in (supertype.name, _short(supertype.name)) for supertype in _lineage(kind)):
        return True
    is_named_entity = any(NAMED_ENTITY in _short(supertype.name).lower() for supertype in _lineage(kind))
    return is_named_entity or not kind.name.startswith(BUILT_IN)


def _layer_of(kind: Any, layer: str) -> Any:
    """Return the layer of a type: the requested one, or NamedEntity for kinds of it (like Person), else itself."""
    lineage = _lineage(kind)
    asked = [supertype for supertype in lineage if layer and layer in (supertype.name, _short(supertype.name))]
    entity = [supertype for supertype in lineage if NAMED_ENTITY in _short(supertype.name).lower()]
    return next(iter([*asked, *reversed(entity)]), kind)


def _columns(layer: Any) -> Iterator[Column]:
    names = {feature.name for feature in layer.all_features}
    is_span = not (names >= RELATION or CHAIN in names)
    for name in _string_features(layer) or [""]:
        yield Column(0, layer.name, RENAMED.get(name, name), is_span)


def _lineage(kind: Any) -> list[Any]:
    """List a type and its supertypes, without those of UIMA."""
    types = []
    while kind is not None and kind.name != ANNOTATION:
        types.append(kind)
        kind = kind.supertype
    return types


def _is_annotation(kind: Any) -> bool:
    return _is_a(kind, ANNOTATION)


def _string_features(kind: Any) -> list[str]:
    return [
        feature.name
        for feature in kind.all_features
        if feature.name not in BASE_FEATURES
        and (_is_a(feature.rangeType, STRING) or feature.rangeType.name == STRING_ARRAY)
    ]


def _is_a(kind: Any, name: str) -> bool:
    while kind is not None and kind.name != name:
        kind = kind.supertype
    return kind is not None


def _short(name: str) -> str:
    return name.rpartition(".")[2]
