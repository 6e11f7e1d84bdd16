"""A small export of every format that is read, with what makes formats hard: emoji, nesting, quotes, two annotators."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import bioc
import cassis
import spacy
from bioc import biocjson, biocxml
from spacy.tokens import DocBin

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions

TEXTS = (
    ("🔥 Payments uses Redis 7.", (LabelledSpan(2, 10, "TEAM"), LabelledSpan(16, 21, "INFRA"))),
    ("The data team of Payments\r\nruns Kafka.", (LabelledSpan(4, 25, "TEAM"), LabelledSpan(17, 25, "TEAM"))),
    ('Nobody said "why", \t or when.', ()),
    ("数据库 Redis 很快。", (LabelledSpan(0, 3, "INFRA"), LabelledSpan(4, 9, "INFRA"))),
    ("Café Zoë pays in Tromsø.", (LabelledSpan(0, 8, "TEAM"),)),
)
WRITTEN = {
    "prodigy": "prodigy.jsonl", "label_studio": "ls.json", "doccano": "doccano.jsonl", "conll": "x.conll",
    "brat": "brat", "hf_json": "hf.jsonl",
}  # fmt: skip
WEBANNO = """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value


#Text=😊 Anna saw New York
1-1\t0-2\t😊\t_\t_\t
1-2\t3-7\tAnna\t*\tPER\t
1-3\t8-11\tsaw\t_\t_\t
1-4\t12-15\tNew\t*[2]\tLOC[2]\t
1-5\t16-20\tYork\t*[2]\tLOC[2]\t

#Text=Ben left
2-1\t21-24\tBen\t*\tPER\t
2-2\t25-29\tleft\t_\t_\t
"""
CONLLU = """# newdoc id = d1
# sent_id = s1
# text = Oslo, ja.
1\tOslo\tOslo\tPROPN\t_\t_\t0\troot\t_\tSpaceAfter=No|name=B-LOC
2\t,\t,\tPUNCT\t_\t_\t1\tpunct\t_\tname=O
3\tja\tja\tINTJ\t_\t_\t1\tdep\t_\tSpaceAfter=No|name=O
4\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\tname=O

# sent_id = s2
# text = Per Olsen ler
1\tPer\tPer\tPROPN\t_\t_\t0\troot\t_\tname=B-PER
2\tOlsen\tOlsen\tPROPN\t_\t_\t1\tflat\t_\tname=I-PER
3\tler\tle\tVERB\t_\t_\t1\tdep\t_\tname=O
"""
TOKEN_CSV = (
    "Sentence #,Word,POS,Tag\r\nSentence: 1,Anna,NNP,B-per\r\n,met,VBD,O\r\n,NA,NNP,B-org\r\n"
    'Sentence: 2,New,NNP,B-geo\r\n,York,NNP,I-geo\r\n,",",",",O\r\n,"""",``,O\r\n'
)
COLUMNS = """-DOCSTART- -X- -X- O

U.N. NNP I-NP B-ORG
official NN I-NP O
Ekeus NNP I-NP B-PER
heads VBZ I-VP O
for IN I-PP O
Baghdad NNP I-NP S-LOC
. . O O

-DOCSTART- -X- -X- O

New NNP I-NP B-LOC
South NNP I-NP I-LOC
Wales NNP I-NP E-LOC
won VBD I-VP O
"""
CHARACTERS = "李 B-NAME\n明 E-NAME\n： O\n男 O\n\n王 B-NAME\n小 M-NAME\n红 E-NAME\n， O\n9 O\n0 O\n"
PAIRS = "Anna|B_PER\nMeier|I_PER\nran|O\n.|O\n\nRome|B_LOC\nis|O\nold|O\n"
SPACY_PYTHON = """TRAIN_DATA = [
    ("Anna ran.", {"entities": [(0, 4, "PER")]}),
    ("Bob saw Rome.", {"entities": [(0, 3, "PER"), (8, 12, "LOC")]}),
]
TRAIN_DATA.append(("Dora won.", {"entities": [(0, 4, "PER")]}))
"""
SENTENCE = [{"orth": "Anna", "ner": "U-PER"}, {"orth": "ran", "ner": "O"}, {"orth": ".", "ner": "O"}]
SPACY_JSON = [{"id": 0, "paragraphs": [{"raw": "Anna ran.", "sentences": [{"tokens": SENTENCE}]}]}]
DATATURKS = [
    {
        "content": "Paris is big",
        "annotation": [{"label": ["LOC"], "points": [{"start": 0, "end": 4, "text": "Paris"}]}],
        "extras": None,
    },
    {"content": "It is late", "annotation": None},
]
ARGILLA = [
    {
        "id": "r1", "fields": {"text": "Anna met Ben"}, "metadata": {"org": "a"}, "vectors": {}, "_server_id": "s",
        "responses": {"ner": [{"value": [{"start": 0, "end": 4, "label": "PER"}], "user_id": "u"}]}, "suggestions": {},
    },
    {"id": "r2", "fields": {"text": "Ben ran"}, "metadata": {}, "responses": {}, "suggestions": {}, "_server_id": "t"},
]  # fmt: skip
GLINER = [
    {"tokenized_text": ["Anna", "met", "Ben", "."], "ner": [[0, 0, "person"], [2, 2, "person"]]},
    {"tokenized_text": ["New", "York"], "ner": [[0, 1, "place"]]},
]
REGION = {"start": 4, "end": 16, "text": "checkout-api", "labels": ["SERVICE"]}
LABEL_STUDIO_MIN = [
    {"id": 1, "text": "The checkout-api is down.", "label": [REGION], "annotator": 1, "annotation_id": 7},
    {"id": 2, "text": "Nothing here.", "annotator": 2, "annotation_id": 8},
]
LABEL_STUDIO_CSV = (
    '"annotation_id","annotator","created_at","id","label","lead_time","text","updated_at"\n'
    '1840,"1","2026-11-28T19:55:56.027168Z",1847,"'
    + json.dumps([REGION]).replace('"', '""')
    + '",3.2,"The checkout-api is down.","2026-11-28T19:55:56.027200Z"\n'
    '1841,"2","2026-11-28T19:55:56.959453Z",1848,"",3.2,"Nothing here.","2026-11-28T19:55:56.991642Z"\n'
)
PUBTATOR = """1|t|Anna left Rome.
1|a|BRCA1 was not seen again.
1\t0\t4\tAnna\tPerson\tP1
1\t16\t21\tBRCA1\tGene\tG1

2|t|Nothing.
2|a|Nothing at all.

"""
NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
PRODIGY_TEACH = [
    {"text": "Redis is up.", "spans": [{"start": 0, "end": 5, "label": "INFRA"}], "answer": answer, "_task_hash": n}
    for n, answer in enumerate(("accept", "reject", "ignore"))
]


def small_exports(folder: Path) -> list[Path]:
    """Write them all; gives their paths, a folder where the export is one (brat)."""
    folder.mkdir(parents=True, exist_ok=True)
    nlp = spacy.blank("en")
    options = WriterOptions(create_tokenizer()(nlp), lossy=True)
    passages = [
        Passage(text, spans, f"a:{n}", {"org": f"o{n}"}, f"annotator-{n % 2}", document=f"d{n}")
        for n, (text, spans) in enumerate(TEXTS, start=1)
    ]
    for name, target in WRITTEN.items():
        export(passages, folder / target, name, options)
    plain = {
        "webanno.tsv": WEBANNO, "x.conllu": CONLLU, "kaggle.csv": TOKEN_CSV, "columns.txt": COLUMNS,
        "characters.bmes": CHARACTERS, "pairs.txt": PAIRS, "train.py": SPACY_PYTHON,
        "spacy.json": json.dumps(SPACY_JSON),
        "turks.json": _lines(DATATURKS), "argilla.json": json.dumps(ARGILLA), "gliner.json": json.dumps(GLINER),
        "min.json": json.dumps(LABEL_STUDIO_MIN, indent=1), "ls.csv": LABEL_STUDIO_CSV,
        "teach.jsonl": _lines(PRODIGY_TEACH), "x.pubtator": PUBTATOR,
    }  # fmt: skip
    for name, text in plain.items():
        (folder / name).write_bytes(text.encode())
    docs = [nlp("Anna met Ben."), nlp("🔥 Redis is up.")]
    docs[0].set_ents([docs[0].char_span(0, 4, "PER")])
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "corpus.spacy")
    collection, cas = _collection(), _cas()
    (folder / "bioc.xml").write_text(biocxml.dumps(collection), encoding="utf8")
    (folder / "bioc.json").write_text(biocjson.dumps(collection), encoding="utf8")
    cas.to_json(folder / "cas.json")
    with zipfile.ZipFile(folder / "cas.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("doc.xmi"), cas.to_xmi())
        archive.writestr(zipfile.ZipInfo("TypeSystem.xml"), cas.typesystem.to_xml())
    (folder / "doccano.zip").write_bytes(_zipped(folder / "doccano.jsonl"))
    return sorted(folder.iterdir())


def _collection() -> bioc.BioCCollection:
    collection, document, passage = bioc.BioCCollection(), bioc.BioCDocument(), bioc.BioCPassage()
    collection.source = collection.date = collection.key = "x"
    document.id, passage.offset, passage.text = "d1", 0, "😀 Anna left Rome."
    for number, (start, words) in enumerate(((2, "Anna"), (12, "Rome")), start=1):
        one = bioc.BioCAnnotation()
        one.id, one.text, one.infons = f"T{number}", words, {"type": "NAME"}
        one.add_location(bioc.BioCLocation(start, len(words)))
        passage.add_annotation(one)
    document.add_passage(passage)
    collection.add_document(document)
    return collection


def _cas() -> cassis.Cas:
    system = cassis.TypeSystem()
    kind = system.create_type(NAMED_ENTITY)
    system.create_feature(kind, "value", "uima.cas.String")
    cas = cassis.Cas(system)
    cas.sofa_string, cas.sofa_mime = "😀 Anna left Rome.", "text/plain"
    for start, end in ((2, 6), (12, 16)):
        cas.add(system.get_type(NAMED_ENTITY)(begin=start, end=end, value="NAME"))
    return cas


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _zipped(path: Path) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("admin.jsonl", "anna.jsonl"):
            archive.write(path, name)
    return packed.getvalue()
