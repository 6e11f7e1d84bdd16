"""Signatures of unsupported formats, with advice for each. `detection` looks for them.

No supported format has any of these signatures.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LINES = '{"text": "…", "label": [[start, end, "TYPE"], …]}'
WRITE = f"Write it as JSON lines, each {LINES}, as doccano has them"
RASA = (
    "With Rasa, `rasa data convert nlu --data FILE --out nlu.json -f json` makes JSON of it; then write a line of JSON"
    f" for each of its `common_examples`, {LINES}, or move the file elsewhere."
)
SERVICE = f"{WRITE}: the texts that were sent to the service, with the offsets that it gave."
UTF16 = f"{WRITE}; set vars.reading (offsets=utf16) where stringIndexType is Utf16CodeUnit."
ELEMENTS = f"{WRITE}: the text without its elements, and where those of names begin and end in it."
RAW = f"{WRITE}: its `raw` text, and where the words of each entity stand in it."
TOOL = f"Export from the tool as one of the formats that are read, or write it as JSON lines, each {LINES}."
ANSWERS = f"{WRITE}: the text that is asked about, and where the words of each answer stand in it."
COLUMNS = "Write a word and its tag a row, with a blank line between sentences"
TEXT_ONLY = "Only annotated text is read: export the annotated data as text, or move the file elsewhere."
PROJECT = (
    "Put the folder `annotation` (or `curation`) of the export here, or the zip as it was exported in XMI or JSON."
)
SHEET = "Save the sheet as CSV in UTF-8 (a token and its tag a row), or export from the tool as JSON."
JSON_ROWS = "Write its rows as JSON lines: load it with the Python package `datasets`, then `to_json(…)`."
UIMA = "Export as UIMA CAS XMI, UIMA CAS JSON or WebAnno TSV 3.3."
UNPACK = "Unpack it."


@dataclass(frozen=True)
class UnsupportedFormat:
    """An unsupported format. title: its name or, with an article, a description. advice: what to do."""

    title: str
    advice: str

    @property
    def description(self) -> str:
        """The text for `X is …`."""
        return self.title if self.title.startswith(("a ", "an ", "the ")) else f"a file of {self.title}"


RASA_JSON, RASA_MARKDOWN, RASA_YAML = (
    UnsupportedFormat(f"Rasa NLU ({kind})", RASA) for kind in ("JSON", "Markdown", "YAML")
)
COMPREHEND = UnsupportedFormat("Amazon Comprehend (entities that it found)", SERVICE)
AZURE = UnsupportedFormat("Azure AI Language (entities that it found)", SERVICE)
DLP = UnsupportedFormat("Google Cloud DLP (findings)", SERVICE)
AUTOML = UnsupportedFormat(
    "Google AutoML (entity extraction)", f"{WRITE}: the snippet, and segment and name of each annotation."
)

# Each path exists in the first row: keys of objects, separated by dots; for a list, its first item counts.
JSON_SIGNATURES: Sequence[tuple[tuple[str, ...], UnsupportedFormat]] = (
    (("rasa_nlu_data",), RASA_JSON),
    (("Entities.BeginOffset",), COMPREHEND),
    (("projectFileVersion", "assets"), UnsupportedFormat("Azure AI Language (custom NER)", UTF16)),
    (("documents.entities.category", "documents.entities.offset"), AZURE),
    (("results.documents.entities.category",), AZURE),
    (
        ("textSegmentAnnotations",),
        UnsupportedFormat(
            "Google Vertex AI (entity extraction)",
            f"{WRITE}: `textContent`, and startOffset, endOffset and displayName of each annotation.",
        ),
    ),
    (("annotations.text_extraction",), AUTOML),
    (("annotations.textExtraction",), AUTOML),
    (
        ("entities.mentions.text.beginOffset",),
        UnsupportedFormat("Google Cloud Natural Language (entities that it found)", SERVICE),
    ),
    (("findings.infoType",), DLP),
    (("result.findings.infoType",), DLP),
    (
        ("document", "tokens.entityLabel"),
        UnsupportedFormat(
            "UBIAI (JSON)", f"{WRITE}: `document`, and start, end and entityLabel of each of its tokens."
        ),
    ),
    (("examples.content", "examples.annotations"), UnsupportedFormat("LightTag (JSON)", TOOL)),
    (
        ("annotatable.parts", "entities"),
        UnsupportedFormat(
            "tagtog (ann.json)", f"{WRITE}: the text of each part, and offsets and class of its entities."
        ),
    ),
    (
        ("data_row", "projects"),
        UnsupportedFormat(
            "Labelbox (JSON)", f"{WRITE}: the text of the data row, and location and name of each object."
        ),
    ),
    (("labels.jsonResponse",), UnsupportedFormat("Kili (JSON)", TOOL)),
    (
        ("full_text", "spans.entity_type"),
        UnsupportedFormat(
            "Presidio's evaluator (JSON)",
            f"{WRITE}: `full_text`, and start_position, end_position and entity_type of its spans.",
        ),
    ),
    (
        ("source_text", "privacy_mask"),
        UnsupportedFormat(
            "AI4Privacy (JSON)", f"{WRITE}: `source_text`, and start, end and label of its `privacy_mask`."
        ),
    ),
    (
        ("annotation_sets", "offset_type"),
        UnsupportedFormat(
            "GATE (bdoc JSON)", f"{WRITE}: `text`, and start, end and type of an annotation set's annotations."
        ),
    ),
    (
        ("target.selector", "body"),
        UnsupportedFormat(
            "web annotations (Recogito)", f"{WRITE}: the text, and start, end and tag of each annotation."
        ),
    ),
    (
        ("entities.textAnchor", "entities.mentionText"),
        UnsupportedFormat(
            "Google Document AI (JSON)",
            f"{WRITE}: `text`, and the textSegments and type of each entity's textAnchor.",
        ),
    ),
    (("conversations.from", "conversations.value"), UnsupportedFormat("conversations (UniversalNER, JSON)", ANSWERS)),
    (("nbformat", "cells"), UnsupportedFormat("Jupyter (a notebook)", TEXT_ONLY)),
    (("source_documents", "layers"), UnsupportedFormat("the settings of an INCEpTION project", PROJECT)),
    (
        ("background_color", "suffix_key"),
        UnsupportedFormat("doccano's labels", "Move it elsewhere: the labels of the guide are used."),
    ),
)
XML_ROOTS: Mapping[str, UnsupportedFormat] = {
    "GateDocument": UnsupportedFormat("GATE (XML)", f"Load it with the Python package gatenlp. {WRITE}."),
    "TEI": UnsupportedFormat("TEI (XML)", ELEMENTS),
    "teiCorpus": UnsupportedFormat("TEI (XML)", ELEMENTS),
    "FoLiA": UnsupportedFormat("FoLiA (XML)", ELEMENTS),
    "NAF": UnsupportedFormat("NAF (XML)", RAW),
    "KAF": UnsupportedFormat("KAF (XML)", RAW),
    "CAS": UnsupportedFormat("UIMA's XCAS", "Export it as XMI, with its type system."),
    "source_file": UnsupportedFormat(
        "ACE (APF XML)", f"{WRITE}: the text beside it, and the type of each mention with START and END + 1."
    ),
    "html": UnsupportedFormat("HTML", TEXT_ONLY),
}
# Patterns in XML from its root element on.
XML_SIGNATURES: Sequence[tuple[re.Pattern[str], UnsupportedFormat]] = (
    (
        re.compile(r"\A<[^<>]*>\s*+(?:<!--.*?-->\s*+)*+(?:<\w++[^<>]*+>[^<>]*+</\w++>\s*+)*?<TEXT>", re.DOTALL),
        UnsupportedFormat(
            "i2b2, n2c2 or MEDDOCAN (XML with <TEXT> and <TAGS>)",
            f"{WRITE}: what is in <TEXT>, and start, end and TYPE of each element in <TAGS>.",
        ),
    ),
    (
        re.compile(r"\A<[^<>]*\stextSource\s*="),
        UnsupportedFormat(
            "Knowtator or eHOST (XML)", f"{WRITE}: the text beside it, and span and class of each mention."
        ),
    ),
    (
        re.compile(r"<entity\s[^<>]*\bcharOffset\s*="),
        UnsupportedFormat(
            "DDI corpora and their like (XML with charOffset)",
            f"{WRITE}: the text of each sentence, and charOffset (its end + 1) and type of its entities.",
        ),
    ),
    (
        re.compile(r"<(?:ENAMEX|TIMEX|NUMEX)\s[^<>]*\bTYPE\s*="),
        UnsupportedFormat("MUC (text with ENAMEX elements)", ELEMENTS),
    ),
)
TEXT_SIGNATURES: Sequence[tuple[re.Pattern[str], UnsupportedFormat]] = (
    (re.compile(r"^##[ \t]*(?:intent|synonym|lookup|regex)[ \t]*:", re.MULTILINE), RASA_MARKDOWN),
    (
        re.compile(
            r"^nlu:[ \t]*(?:#.*)?\r?\n(?:.*\n)*?[ \t]*-[ \t]*(?:intent|synonym|lookup|regex)[ \t]*:", re.MULTILINE
        ),
        RASA_YAML,
    ),
    (
        re.compile(r'\A"?File"?,(?:"?Line"?,)?"?Begin Offset"?,"?End Offset"?,"?Type"?\s', re.IGNORECASE),
        UnsupportedFormat(
            "Amazon Comprehend (annotations, CSV)",
            f"{WRITE}: the lines of the text files that it names, with these offsets.",
        ),
    ),
    (
        re.compile(r'\Ac=".*" \d+:\d+ \d+:\d+\|\|t="'),
        UnsupportedFormat(
            "i2b2 (concepts)", f"{WRITE}: each line of the text beside it, with its concepts in characters."
        ),
    ),
    (re.compile(r"\A\{\\rtf"), UnsupportedFormat("RTF", TEXT_ONLY)),
    (
        re.compile(
            r"\A#begin document(?:.*\n){1,200}?.*[ \t](?:\*|\([A-Z_]{3,}\*\)?|\*\))(?:[ \t]+\S+)?[ \t]*$", re.MULTILINE
        ),
        UnsupportedFormat(
            "CoNLL-2012 (OntoNotes)", f"{COLUMNS}: (PERSON* … *) in its column of names is B-PERSON … I-PERSON."
        ),
    ),
)
MAGIC: Sequence[tuple[bytes, UnsupportedFormat]] = (
    (b"%PDF-", UnsupportedFormat("PDF", TEXT_ONLY)),
    (b"\x89PNG", UnsupportedFormat("PNG (an image)", TEXT_ONLY)),
    (b"\xff\xd8\xff", UnsupportedFormat("JPEG (an image)", TEXT_ONLY)),
    (b"GIF8", UnsupportedFormat("GIF (an image)", TEXT_ONLY)),
    (b"ID3", UnsupportedFormat("MP3 (sound)", TEXT_ONLY)),
    (b"OggS", UnsupportedFormat("Ogg (sound)", TEXT_ONLY)),
    (b"RIFF", UnsupportedFormat("RIFF (sound or video)", TEXT_ONLY)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", UnsupportedFormat("Excel or Word of before 2007", SHEET)),
    (b"PAR1", UnsupportedFormat("Parquet", JSON_ROWS)),
    (b"ARROW1", UnsupportedFormat("Arrow", JSON_ROWS)),
    (
        b"SQLite format 3\0",
        UnsupportedFormat("SQLite", "Export from the tool that it belongs to (Prodigy: `prodigy db-out`)."),
    ),
    (b"\xac\xed\x00\x05", UnsupportedFormat("Java objects (a CAS of WebAnno or INCEpTION, maybe)", UIMA)),
    (b"UIMA", UnsupportedFormat("UIMA's binary CAS", UIMA)),
    (b"\x1f\x8b", UnsupportedFormat("gzip", UNPACK)),
    (b"BZh", UnsupportedFormat("bzip2", UNPACK)),
    (b"\xfd7zXZ", UnsupportedFormat("xz", UNPACK)),
    (b"\x28\xb5\x2f\xfd", UnsupportedFormat("Zstandard", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", UnsupportedFormat("7-Zip", UNPACK)),
    (b"Rar!", UnsupportedFormat("RAR", UNPACK)),
)
ZIP_MAGIC = b"PK\x03\x04"
# By a member of such a zip, and the suffix of its name.
OFFICE: Sequence[tuple[str, tuple[str, ...], UnsupportedFormat]] = (
    ("xl/", (".xlsx", ".xlsm"), UnsupportedFormat("Excel", SHEET)),
    ("word/", (".docx",), UnsupportedFormat("Word", TEXT_ONLY)),
    ("ppt/", (".pptx",), UnsupportedFormat("PowerPoint", TEXT_ONLY)),
    ("content.xml", (".ods", ".odt"), UnsupportedFormat("OpenDocument", SHEET)),
)
