"""What a UIMA CAS holds: its text, and the annotations that may be entities. Loaded with the library `dkpro-cassis`.

The library makes a class of each type, with the names of its features in code that it generates. They are checked
before it makes any: a name that is no plain word never gets there.
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
# What the library calls features whose own names mean something to it.
RENAMED = {"self_": "self", "type_": "type"}
RELATION, CHAIN = {"Governor", "Dependent"}, "next"
UNMAPPED = re.compile(r"Not mapping external offset \[(-?\d+)\]")


class CasError(ValueError):
    """Why a CAS cannot be read."""


@dataclass(frozen=True, slots=True)
class CasSpan(Pickled):
    """An annotation. start, end: code points. layer: the name of its layer, as in a Column; type: its own, without its
    package. values: of its features that are strings, a list where a feature has several. fault: as in a SourceSpan.
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

    name: of its file, as findings cite it. document, annotator: as the place of the file, or else the CAS, tells.
    columns: the features of the layers of its annotations.
    """

    name: str
    document: str
    annotator: str
    text: str
    spans: tuple[CasSpan, ...]
    columns: tuple[Column, ...]


def load_texts(file: CasFile, layer: str) -> list[CasText]:
    """The texts of a CAS, most often one.

    layer: the one that the user asks for (`Layer` or `Layer|feature`), empty for those that may hold entities.
    Raises CasError, or DomainNerError, where it cannot be read.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            is_json = find_root(read_sample(file.path)[0]) is None
            cas = _load_json(file.path) if is_json else _load_xmi(file)
            unmapped = {int(found[1]) for one in caught if (found := UNMAPPED.search(str(one.message)))}
            return list(_texts(cas, file, layer.partition("|")[0], unmapped))
        except (DomainNerError, CasError):
            raise
        except Exception as err:  # of a damaged CAS the library may say anything
            raise CasError(f"no readable CAS ({type(err).__name__}: {err})") from err


def _load_xmi(file: CasFile) -> Any:
    if not file.type_systems:
        raise CasError("its type system is not beside it: expected TypeSystem.xml, as the export has it")
    cassis = library("cassis")
    types = [_type_system(_bytes(one)) for one in file.type_systems]
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


@lru_cache(maxsize=4)  # the CAS of a project have the same one, and it takes long to load
def _type_system(xml: bytes) -> Any:
    types = library("cassis").load_typesystem(io.BytesIO(xml))
    _require_plain_names((one.name, feature.name) for one in types.get_types() for feature in one.features)
    return types


def _require_plain_names(names: Iterator[tuple[str, str]]) -> None:
    """Raise CasError for a feature whose name is no plain word. names: (layer, feature)."""
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
        found = [one for one in view.get_all_fs() if _is_annotation(one.type) and _is_candidate(one.type, layer)]
        text = view.sofa.sofaString
        if text is None and found:
            raise CasError(f"{len(found)} annotations of a text that is not in it")
        if text is None:
            continue
        if not isinstance(text, str):
            raise CasError(f"its text is {short(text)}; expected a string")
        n_texts += 1
        layers = {one.type: _layer_of(one.type, layer) for one in found}
        columns = dict.fromkeys(column for one in layers.values() for column in _columns(one))
        spans = [_span(one, layers[one.type].name, unmapped) for one in found]
        spans.sort(key=_place)
        yield CasText(file.name, document, annotator, text, tuple(spans), tuple(columns))
    if not n_texts:
        raise CasError("it has no text")


def _span(annotation: Any, layer: str, unmapped: set[int]) -> CasSpan:
    start, end = annotation.begin, annotation.end
    # Where it does not know an offset, the library passes it on as it is; it may then equal a good one by chance.
    fault = "its offsets are no place in the text" if {start, end} & unmapped else ""
    values = {RENAMED.get(name, name): _value(annotation[name]) for name in _string_features(annotation.type)}
    return CasSpan(start, end, layer, _short(annotation.type.name), values, fault)


def _place(span: CasSpan) -> tuple[int, int]:
    start, end = (value if isinstance(value, int) else 0 for value in (span.start, span.end))
    return start, -end


def _value(value: Any) -> Any:
    return list(value.elements or ()) if hasattr(value, "elements") else value


def _origin(cas: Any) -> tuple[str, str]:
    """(document, annotator), as the tools note them in a CAS."""
    found: dict[str, str] = {}
    for view in cas.views:
        for one in view.get_all_fs():
            if _short(one.type.name) in ("DocumentMetaData", "CASMetadata"):
                known = {feature.name for feature in one.type.all_features}
                names = ("documentTitle", "documentId", "sourceDocumentName", "username")
                found |= {name: one[name] for name in names if name in known and isinstance(one[name], str)}
    document = next(
        (found[name] for name in ("sourceDocumentName", "documentTitle", "documentId") if name in found), ""
    )
    return document, found.get("username", "")


def _is_candidate(kind: Any, layer: str) -> bool:
    """Whether annotations of a type may be asked for: those of the tools' own layers only by name."""
    if layer and any(layer in (one.name, _short(one.name)) for one in _lineage(kind)):
        return True
    is_named_entity = any(NAMED_ENTITY in _short(one.name).lower() for one in _lineage(kind))
    return is_named_entity or not kind.name.startswith(BUILT_IN)


def _layer_of(kind: Any, layer: str) -> Any:
    """The layer of a type: the one asked for, or NamedEntity, where it is of that kind (Person is), else itself."""
    lineage = _lineage(kind)
    asked = [one for one in lineage if layer and layer in (one.name, _short(one.name))]
    entity = [one for one in lineage if NAMED_ENTITY in _short(one.name).lower()]
    return next(iter([*asked, *reversed(entity)]), kind)


def _columns(layer: Any) -> Iterator[Column]:
    names = {feature.name for feature in layer.all_features}
    is_span = not (names >= RELATION or CHAIN in names)
    for name in _string_features(layer) or [""]:
        yield Column(0, layer.name, RENAMED.get(name, name), is_span)


def _lineage(kind: Any) -> list[Any]:
    """A type and the types above it, without those of UIMA."""
    found = []
    while kind is not None and kind.name != ANNOTATION:
        found.append(kind)
        kind = kind.supertype
    return found


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
