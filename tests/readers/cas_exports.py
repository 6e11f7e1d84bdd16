"""CASes made by the library cassis, zips of them, and what the reader finds in them."""

import io
import zipfile

import cassis

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.conversion.offsets import locate
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.webanno import cas

DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
NER, PERSON = f"{DKPRO}.ner.type.NamedEntity", f"{DKPRO}.ner.type.Person"
POS, META = f"{DKPRO}.lexmorph.type.pos.POS", f"{DKPRO}.metadata.type.DocumentMetaData"
SKILL, SECTION, LINK = "webanno.custom.Skill", "webanno.custom.Section", "webanno.custom.Link"
TEXT = "😀 Anna Smith went to New York."


def types(*more):
    """A type system like that of a project: built-in and custom layers. more: further features of a custom layer."""
    found = cassis.TypeSystem()
    for name, features in {
        NER: ["value", "identifier"],
        POS: ["PosValue"],
        SKILL: ["level", "label"],
        SECTION: [],
    }.items():
        kind = found.create_type(name)
        for feature in features:
            found.create_feature(kind, feature, "uima.cas.String")
    found.create_type(PERSON, NER)
    meta = found.create_type(META, "uima.tcas.DocumentAnnotation")
    found.create_feature(meta, "documentTitle", "uima.cas.String")
    link = found.create_type(LINK)
    for feature in ("Governor", "Dependent"):
        found.create_feature(link, feature, "uima.tcas.Annotation")
    found.create_feature(found.get_type(SKILL), "tags", "uima.cas.StringArray")
    for feature in more:
        found.create_feature(found.get_type(SKILL), feature, "uima.cas.String")
    return found


def make(*spans, text=TEXT, system=None):
    """A CAS. spans: (words, type, features), each at the first occurrence of its words."""
    system = system or types()
    found = cassis.Cas(system)
    found.sofa_string, found.sofa_mime = text, "text/plain"
    for words, kind, features in spans:
        start = text.index(words)
        found.add(system.get_type(kind)(begin=start, end=start + len(words), **features))
    return found


def ner(words, value):
    return words, NER, {"value": value}


ANNA = make(ner("Anna Smith", "PER"), ner("New York", "LOC"))


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def exported(made, user="admin"):
    """The files that INCEpTION zips for one annotator of one document."""
    return {f"{user}.xmi": made.to_xmi(), "TypeSystem.xml": made.typesystem.to_xml()}


def read(path, *, name="", **options):
    log = FileLog(name or path.name)
    return list(cas.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    text, whole = ("", False) if path.suffix == ".zip" else read_sample(path)
    return cas.recognises(Sample(path, text, whole))


def found(record):
    located = zip(record.spans, locate(record, None), strict=True)
    return [(record.text[at.start : at.end], span.label) for span, at in located if at.start is not None]
