import io
import json
import zipfile

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import FORMATS, detect, find_exports
from domain_ner.readers.unread.detection import find_unread, find_unread_bytes

RASA_MD = "## intent:travel\n- fly to [Berlin](city)\n\n## synonym:nyc\n- new york\n"
RASA_YML = 'version: "3.1"\n\nnlu:\n- intent: travel\n  examples: |\n    - fly to [Berlin](city)\n'
DOCCANO = '{"id": 1, "text": "Anna left", "label": [[0, 4, "PER"]], "Comments": []}\n'
I2B2 = """<?xml version="1.0"?>
<deIdi2b2>
<TEXT><![CDATA[
Dr. Smith
]]></TEXT>
<TAGS>
<NAME id="P0" start="5" end="10" text="Smith" TYPE="DOCTOR"/>
</TAGS>
</deIdi2b2>
"""

CONLL_2012 = """#begin document (bc/1); part 000
bc/1 0 0 Anna NNP (TOP(S(NP* - - - spk (PERSON* -
bc/1 0 1 Meier NNP *) - - - spk *) -
bc/1 0 2 left VBD (VP*))) - - - spk * -

#end document
"""
# The same with tags of IOB2 is read.
IOB_2012 = CONLL_2012.replace("(PERSON*", "B-PERSON").replace("spk *)", "spk I-PERSON").replace("spk *", "spk O")

TEXTS = {
    "Rasa NLU (Markdown)": ["nlu.md", RASA_MD],
    "Rasa NLU (YAML)": ["nlu.yml", RASA_YML],
    "Amazon Comprehend (annotations, CSV)": ["a.csv", "File,Line,Begin Offset,End Offset,Type\nd.txt,0,0,4,PERSON\n"],
    "i2b2 (concepts)": ["a.con", 'c="chest "pain"" 3:0 3:1||t="problem"\n'],
    "CoNLL-2012 (OntoNotes)": ["a.v4_gold_conll", CONLL_2012],
    "RTF": ["a.txt", r"{\rtf1\ansi Anna}"],
    "i2b2, n2c2 or MEDDOCAN (XML with <TEXT> and <TAGS>)": ["a.xml", I2B2],
    "GATE (XML)": ["a.xml", '<?xml version="1.0"?><GateDocument version="3"><TextWithNodes>a</TextWithNodes>'],
    "TEI (XML)": ["a.xml", '<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><persName>Anna</persName></text></TEI>'],
    "Knowtator or eHOST (XML)": ["a.xml", '<annotations textSource="a.txt"><annotation/></annotations>'],
    "DDI corpora and their like (XML with charOffset)": [
        "a.xml", '<document id="d"><sentence text="Aspirin"><entity charOffset="0-6" type="drug"/></sentence>',
    ],
    "MUC (text with ENAMEX elements)": ["a.xml", '<doc><p><ENAMEX TYPE="PERSON">Anna</ENAMEX> left</p></doc>'],
    "FoLiA (XML)": ["a.xml", "<FoLiA/>"],
    "NAF (XML)": ["a.naf", "<NAF><raw>a</raw></NAF>"],
    "UIMA's XCAS": ["a.xcas", "<CAS version='2'/>"],
    "ACE (APF XML)": ["a.xml", "<source_file URI='a.sgm'/>"],
    "HTML": ["a.html", "<!DOCTYPE html>\n<html><body>Anna</body></html>"],
}  # fmt: skip
ROWS = {
    "Rasa NLU (JSON)": {"rasa_nlu_data": {"common_examples": [{"text": "a", "entities": []}]}},
    "Amazon Comprehend (entities that it found)": {"Entities": [{"BeginOffset": 0, "EndOffset": 4}], "File": "a"},
    "Azure AI Language (custom NER)": {"projectFileVersion": "2022-05-01", "assets": {"documents": []}},
    "Azure AI Language (entities that it found)": {"documents": [{"entities": [{"category": "P", "offset": 0}]}]},
    "Google Vertex AI (entity extraction)": {"textSegmentAnnotations": [{"startOffset": 0}], "textContent": "a"},
    "Google AutoML (entity extraction)": {"annotations": [{"text_extraction": {}}], "text_snippet": {}},
    "Google Cloud Natural Language (entities that it found)": {
        "entities": [{"name": "a", "mentions": [{"text": {"content": "a", "beginOffset": 0}}]}],
    },
    "Google Cloud DLP (findings)": {"result": {"findings": [{"infoType": {"name": "A"}}]}},
    "Amazon SageMaker Ground Truth (manifest)": {
        "source": "a", "job": {"annotations": {"entities": []}}, "job-metadata": {},
    },
    "UBIAI (JSON)": {"documentName": "a", "document": "a", "tokens": [{"text": "a", "entityLabel": "A"}]},
    "LightTag (JSON)": {"examples": [{"content": "a", "annotations": []}]},
    "tagtog (ann.json)": {"annotatable": {"parts": ["s1h1"]}, "anncomplete": True, "entities": []},
    "Labelbox (JSON)": {"data_row": {"id": "1"}, "projects": {}},
    "Kili (JSON)": {"externalId": "1", "labels": [{"jsonResponse": {}}]},
    "Presidio's evaluator (JSON)": {"full_text": "a", "spans": [{"entity_type": "A", "start_position": 0}]},
    "AI4Privacy (JSON)": {"source_text": "a", "privacy_mask": [{"label": "A", "start": 0, "end": 1}]},
    "GATE (bdoc JSON)": {"annotation_sets": {}, "text": "a", "offset_type": "p"},
    "web annotations (Recogito)": {"body": [{"value": "Person"}], "target": {"selector": [{"start": 0, "end": 1}]}},
    "Google Document AI (JSON)": {"text": "a", "entities": [{"type": "A", "mentionText": "a", "textAnchor": {}}]},
    "conversations (UniversalNER, JSON)": {"id": "1", "conversations": [{"from": "human", "value": "Text: a"}]},
    "Jupyter (a notebook)": {"cells": [], "nbformat": 4},
    "the settings of an INCEpTION project": {"name": "a", "source_documents": [], "layers": []},
    "doccano's labels": {"id": 1, "text": "LOC", "suffix_key": "l", "background_color": "#fff"},
    "Prodigy (audio)": {"audio": "a.wav", "audio_spans": [{"start": 0.5, "end": 1, "label": "A"}], "_task_hash": 1},
    "Prodigy (image)": {"image": "a.png", "spans": [{"points": [[1, 2]], "label": "A"}], "answer": "accept"},
}  # fmt: skip
BYTES = {
    "PDF": b"%PDF-1.7\n\0", "PNG (an image)": b"\x89PNG\r\n\x1a\n", "Parquet": b"PAR1\0\0", "gzip": b"\x1f\x8b\x08\0",
    "Excel or Word of before 2007": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "SQLite": b"SQLite format 3\0\0",
    "Java objects (a CAS of WebAnno or INCEpTION, maybe)": b"\xac\xed\x00\x05sr", "UIMA's binary CAS": b"UIMA\0\0",
}  # fmt: skip


def refused(path):
    with pytest.raises(DomainNerError) as caught:
        detect(path)
    assert str(path) in caught.value.message
    assert caught.value.fix
    return caught.value.message


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize("title", TEXTS)
def test_a_file_of_text_is_told_with_what_to_do(tmp_path, title):
    name, text = TEXTS[title]
    (tmp_path / name).write_text(text, "utf8")
    assert refused(tmp_path / name).endswith(f"is a file of {title}, which is not supported.")


@pytest.mark.parametrize("title", ROWS)
@pytest.mark.parametrize("shape", ["object", "array", "lines"])
def test_a_file_of_json_is_told_with_what_to_do(tmp_path, title, shape):
    row = json.dumps(ROWS[title])
    path = tmp_path / "export.json"
    path.write_text({"object": row, "array": f"[{row}, {row}]", "lines": f"{row}\n{row}\n"}[shape])
    assert refused(path).endswith(f"{title}, which is not supported.")


@pytest.mark.parametrize("title", BYTES)
def test_a_file_that_is_no_text_is_told_by_its_first_bytes(tmp_path, title):
    (tmp_path / "export.bin").write_bytes(BYTES[title])
    assert refused(tmp_path / "export.bin").endswith(f"is a file of {title}, which is not supported.")


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("a.xlsx", b"PK\x03\x04\0", "Excel"),
        ("renamed.csv", zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel"),
        ("a.docx", zipped("word/document.xml"), "Word"),
        ("a.ods", zipped("mimetype", "content.xml"), "OpenDocument"),
    ],
)
def test_documents_of_an_office_are_told(tmp_path, name, content, title):
    (tmp_path / name).write_bytes(content)
    assert f"is a file of {title}, which" in refused(tmp_path / name)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["annotation/one.txt/ann.tsv"], "an INCEpTION or WebAnno project in WebAnno TSV"),
        (["a.conll", "b.conll", "c.conll", "x.txt"], "a zip with a.conll, b.conll, c.conll and 1 more"),
    ],
)  # fmt: skip
def test_a_zip_that_is_not_read_is_told_with_what_it_holds(tmp_path, names, told):
    (tmp_path / "export.zip").write_bytes(zipped(*names))
    assert f"is {told}, which is not supported" in refused(tmp_path / "export.zip")


@pytest.mark.parametrize(("name", "text"), [("nlu.md", RASA_MD), ("nlu.yaml", RASA_YML), ("a.xml", I2B2)])
def test_beside_exports_too_it_is_an_error(tmp_path, name, text):
    (tmp_path / "export.jsonl").write_text(DOCCANO)
    (tmp_path / name).write_text(text)
    with pytest.raises(DomainNerError, match=f"{name} is a file of .*, which is not supported"):
        find_exports(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "# Exports\n\n## How\n- intent: none\n"),
        ("config.yml", "language: en\npipeline:\n- name: x\n"),
        ("domain.yml", "intents:\n- greet\nnlu_fallback: 1\n"),
        ("labels.xml", '<View>\n<Labels name="l" toName="t"><Label value="PER"/></Labels>\n</View>'),
        ("TypeSystem.xml", '<?xml version="1.0"?><typeSystemDescription xmlns="http://uima.apache.org/x"/>'),
        ("data.arrow", "ARROW1"),
    ],
)
def test_documents_and_settings_beside_exports_are_left_alone(tmp_path, name, text):
    (tmp_path / "export.jsonl").write_text(DOCCANO)
    (tmp_path / name).write_text(text)
    assert [file.name for file in find_exports(tmp_path)] == ["export.jsonl"]


def test_other_xml_is_an_error_that_names_its_root(tmp_path):
    (tmp_path / "export.jsonl").write_text(DOCCANO)
    (tmp_path / "pom.xml").write_text("<?xml version='1.0'?>\n<project><a/></project>")
    with pytest.raises(DomainNerError, match="is XML with the root element <project>, of no known format"):
        find_exports(tmp_path)


def test_the_format_can_be_named_all_the_same(tmp_path):
    (tmp_path / "a.xml").write_text(I2B2)
    assert [file.format for file in find_exports(tmp_path, format="bioc")] == ["bioc"]


@pytest.mark.parametrize(
    "text",
    [
        IOB_2012, DOCCANO, '{"text": "a", "spans": [], "_task_hash": 1, "image": "a.png", "answer": "accept"}',
        '{"text": "a", "entities": [[0, 1, "A"]], "source": "web"}', "Anna B-PER\nleft O\n", "[", "{}", "[[]]", "", "<",
        '{"documents": []}', '{"documents": [{"id": 1, "entities": []}]}', "## a comment: with a colon\nAnna\tB-PER\n",
        '{"full_text": "a", "tokens": ["a"], "labels": ["O"]}', "File,Word,Tag\na,b,O\n", "<collection><document/>",
    ],
)  # fmt: skip
def test_what_is_read_or_not_known_is_not_called_unread(text):
    assert find_unread(text) is None


def test_text_is_not_told_by_its_bytes(tmp_path):
    (tmp_path / "a.jsonl").write_text(DOCCANO)
    assert find_unread_bytes(tmp_path / "a.jsonl") is None


def test_formats_are_told_apart_by_content_whatever_the_name(tmp_path):
    contents = {
        "bioc": "<collection><document><id>1</id></document></collection>",
        "cas": '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI"/>',
        "pubtator": "1|t|Anna\n1\t0\t4\tAnna\tPER\n",
        "doccano": DOCCANO,
    }
    for name, text in contents.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text)
        assert name == detect(path).NAME
    assert set(contents) <= {format.NAME for format in FORMATS}
