"""What marks the formats that are not read, and what to do with a file of each. `unread` looks for the marks.

A mark is one that no format has which is read.
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
TEXT_ONLY = "Only annotated text is read: export what was annotated as text, or move the file elsewhere."
PROJECT = (
    "Put the folder `annotation` (or `curation`) of the export here, or the zip as it was exported in XMI or JSON."
)
SHEET = "Save the sheet as CSV in UTF-8 (a token and its tag a row), or export from the tool as JSON."
JSON_ROWS = "Write its rows as JSON lines: load it with the Python package `datasets`, then `to_json(…)`."
UIMA = "Export as UIMA CAS XMI, UIMA CAS JSON or WebAnno TSV 3.3."
UNPACK = "Unpack it."


@dataclass(frozen=True)
class Unread:
    """A format that is not read. title: its name, or with an article what the file is. advice: what to do."""

    title: str
    advice: str

    @property
    def told(self) -> str:
        """For `X is …`."""
        return self.title if self.title.startswith(("a ", "an ", "the ")) else f"a file of {self.title}"


RASA_JSON, RASA_MARKDOWN, RASA_YAML = (Unread(f"Rasa NLU ({kind})", RASA) for kind in ("JSON", "Markdown", "YAML"))
COMPREHEND = Unread("Amazon Comprehend (entities that it found)", SERVICE)
AZURE = Unread("Azure AI Language (entities that it found)", SERVICE)
DLP = Unread("Google Cloud DLP (findings)", SERVICE)
AUTOML = Unread("Google AutoML (entity extraction)", f"{WRITE}: the snippet, and segment and name of each annotation.")

# Each of the paths stands in the first row: keys of objects, apart by dots; of a list, its first item is meant.
JSON_MARKS: Sequence[tuple[tuple[str, ...], Unread]] = (
    (("rasa_nlu_data",), RASA_JSON),
    (("Entities.BeginOffset",), COMPREHEND),
    (("projectFileVersion", "assets"), Unread("Azure AI Language (custom NER)", UTF16)),
    (("documents.entities.category", "documents.entities.offset"), AZURE),
    (("results.documents.entities.category",), AZURE),
    (
        ("textSegmentAnnotations",),
        Unread(
            "Google Vertex AI (entity extraction)",
            f"{WRITE}: `textContent`, and startOffset, endOffset and displayName of each annotation.",
        ),
    ),
    (("annotations.text_extraction",), AUTOML),
    (("annotations.textExtraction",), AUTOML),
    (
        ("entities.mentions.text.beginOffset",),
        Unread("Google Cloud Natural Language (entities that it found)", SERVICE),
    ),
    (("findings.infoType",), DLP),
    (("result.findings.infoType",), DLP),
    (
        ("document", "tokens.entityLabel"),
        Unread("UBIAI (JSON)", f"{WRITE}: `document`, and start, end and entityLabel of each of its tokens."),
    ),
    (("examples.content", "examples.annotations"), Unread("LightTag (JSON)", TOOL)),
    (
        ("annotatable.parts", "entities"),
        Unread("tagtog (ann.json)", f"{WRITE}: the text of each part, and offsets and class of its entities."),
    ),
    (
        ("data_row", "projects"),
        Unread("Labelbox (JSON)", f"{WRITE}: the text of the data row, and location and name of each object."),
    ),
    (("labels.jsonResponse",), Unread("Kili (JSON)", TOOL)),
    (
        ("full_text", "spans.entity_type"),
        Unread(
            "Presidio's evaluator (JSON)",
            f"{WRITE}: `full_text`, and start_position, end_position and entity_type of its spans.",
        ),
    ),
    (
        ("source_text", "privacy_mask"),
        Unread("AI4Privacy (JSON)", f"{WRITE}: `source_text`, and start, end and label of its `privacy_mask`."),
    ),
    (
        ("annotation_sets", "offset_type"),
        Unread("GATE (bdoc JSON)", f"{WRITE}: `text`, and start, end and type of an annotation set's annotations."),
    ),
    (
        ("target.selector", "body"),
        Unread("web annotations (Recogito)", f"{WRITE}: the text, and start, end and tag of each annotation."),
    ),
    (
        ("entities.textAnchor", "entities.mentionText"),
        Unread(
            "Google Document AI (JSON)",
            f"{WRITE}: `text`, and the textSegments and type of each entity's textAnchor.",
        ),
    ),
    (("conversations.from", "conversations.value"), Unread("conversations (UniversalNER, JSON)", ANSWERS)),
    (("nbformat", "cells"), Unread("Jupyter (a notebook)", TEXT_ONLY)),
    (("source_documents", "layers"), Unread("the settings of an INCEpTION project", PROJECT)),
    (
        ("background_color", "suffix_key"),
        Unread("doccano's labels", "Move it elsewhere: the labels of the guide are those that count."),
    ),
)
XML_ROOTS: Mapping[str, Unread] = {
    "GateDocument": Unread("GATE (XML)", f"Load it with the Python package gatenlp. {WRITE}."),
    "TEI": Unread("TEI (XML)", ELEMENTS),
    "teiCorpus": Unread("TEI (XML)", ELEMENTS),
    "FoLiA": Unread("FoLiA (XML)", ELEMENTS),
    "NAF": Unread("NAF (XML)", RAW),
    "KAF": Unread("KAF (XML)", RAW),
    "CAS": Unread("UIMA's XCAS", "Export it as XMI, with its type system."),
    "source_file": Unread(
        "ACE (APF XML)", f"{WRITE}: the text beside it, and the type of each mention with START and END + 1."
    ),
    "html": Unread("HTML", TEXT_ONLY),
}
# In the XML from its root element on.
XML_MARKS: Sequence[tuple[re.Pattern[str], Unread]] = (
    (
        re.compile(r"\A<[^<>]*>\s*+(?:<!--.*?-->\s*+)*+(?:<\w++[^<>]*+>[^<>]*+</\w++>\s*+)*?<TEXT>", re.DOTALL),
        Unread(
            "i2b2, n2c2 or MEDDOCAN (XML with <TEXT> and <TAGS>)",
            f"{WRITE}: what is in <TEXT>, and start, end and TYPE of each element in <TAGS>.",
        ),
    ),
    (
        re.compile(r"\A<[^<>]*\stextSource\s*="),
        Unread("Knowtator or eHOST (XML)", f"{WRITE}: the text beside it, and span and class of each mention."),
    ),
    (
        re.compile(r"<entity\s[^<>]*\bcharOffset\s*="),
        Unread(
            "DDI corpora and their like (XML with charOffset)",
            f"{WRITE}: the text of each sentence, and charOffset (its end + 1) and type of its entities.",
        ),
    ),
    (
        re.compile(r"<(?:ENAMEX|TIMEX|NUMEX)\s[^<>]*\bTYPE\s*="),
        Unread("MUC (text with ENAMEX elements)", ELEMENTS),
    ),
)
TEXT_MARKS: Sequence[tuple[re.Pattern[str], Unread]] = (
    (re.compile(r"^##[ \t]*(?:intent|synonym|lookup|regex)[ \t]*:", re.MULTILINE), RASA_MARKDOWN),
    (
        re.compile(
            r"^nlu:[ \t]*(?:#.*)?\r?\n(?:.*\n)*?[ \t]*-[ \t]*(?:intent|synonym|lookup|regex)[ \t]*:", re.MULTILINE
        ),
        RASA_YAML,
    ),
    (
        re.compile(r'\A"?File"?,(?:"?Line"?,)?"?Begin Offset"?,"?End Offset"?,"?Type"?\s', re.IGNORECASE),
        Unread(
            "Amazon Comprehend (annotations, CSV)",
            f"{WRITE}: the lines of the text files that it names, with these offsets.",
        ),
    ),
    (
        re.compile(r'\Ac=".*" \d+:\d+ \d+:\d+\|\|t="'),
        Unread("i2b2 (concepts)", f"{WRITE}: each line of the text beside it, with its concepts in characters."),
    ),
    (re.compile(r"\A\{\\rtf"), Unread("RTF", TEXT_ONLY)),
    (
        re.compile(
            r"\A#begin document(?:.*\n){1,200}?.*[ \t](?:\*|\([A-Z_]{3,}\*\)?|\*\))(?:[ \t]+\S+)?[ \t]*$", re.MULTILINE
        ),
        Unread("CoNLL-2012 (OntoNotes)", f"{COLUMNS}: (PERSON* … *) in its column of names is B-PERSON … I-PERSON."),
    ),
)
MAGIC: Sequence[tuple[bytes, Unread]] = (
    (b"%PDF-", Unread("PDF", TEXT_ONLY)),
    (b"\x89PNG", Unread("PNG (an image)", TEXT_ONLY)),
    (b"\xff\xd8\xff", Unread("JPEG (an image)", TEXT_ONLY)),
    (b"GIF8", Unread("GIF (an image)", TEXT_ONLY)),
    (b"ID3", Unread("MP3 (sound)", TEXT_ONLY)),
    (b"OggS", Unread("Ogg (sound)", TEXT_ONLY)),
    (b"RIFF", Unread("RIFF (sound or video)", TEXT_ONLY)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unread("Excel or Word of before 2007", SHEET)),
    (b"PAR1", Unread("Parquet", JSON_ROWS)),
    (b"ARROW1", Unread("Arrow", JSON_ROWS)),
    (b"SQLite format 3\0", Unread("SQLite", "Export from the tool that it belongs to (Prodigy: `prodigy db-out`).")),
    (b"\xac\xed\x00\x05", Unread("Java objects (a CAS of WebAnno or INCEpTION, maybe)", UIMA)),
    (b"UIMA", Unread("UIMA's binary CAS", UIMA)),
    (b"\x1f\x8b", Unread("gzip", UNPACK)),
    (b"BZh", Unread("bzip2", UNPACK)),
    (b"\xfd7zXZ", Unread("xz", UNPACK)),
    (b"\x28\xb5\x2f\xfd", Unread("Zstandard", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Unread("7-Zip", UNPACK)),
    (b"Rar!", Unread("RAR", UNPACK)),
)
ZIP_MAGIC = b"PK\x03\x04"
# By a member that such a zip has, and by the suffix of its name.
OFFICE: Sequence[tuple[str, tuple[str, ...], Unread]] = (
    ("xl/", (".xlsx", ".xlsm"), Unread("Excel", SHEET)),
    ("word/", (".docx",), Unread("Word", TEXT_ONLY)),
    ("ppt/", (".pptx",), Unread("PowerPoint", TEXT_ONLY)),
    ("content.xml", (".ods", ".odt"), Unread("OpenDocument", SHEET)),
)
