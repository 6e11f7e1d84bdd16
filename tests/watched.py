"""A pipeline that learns in seconds, its baseline, and texts like those that it was measured on."""

import json
import re
from functools import cache
from pathlib import Path
from random import Random

import spacy
from spacy.tokens import DocBin
from spacy.training import Example
from thinc.api import fix_random_seed
from tiny_pipelines import LEXICAL

from domain_ner.evaluation.predicting import load_pipeline
from domain_ner.monitoring.baseline import BASELINE_FILE, to_text
from domain_ner.monitoring.building import package_baseline

NAMES = {"INFRA": ["Redis", "Kafka", "Postgres"], "TEAM": ["Payments squad", "Risk Desk team"]}
SENTENCES = [
    "{INFRA} was slow at noon.",
    "The {TEAM} restarted {INFRA}.",
    "Nothing failed today.",
    "Ask the {TEAM} why.",
]


def passages(n, seed, sentences=SENTENCES, names=NAMES):
    """(text, entities) of one to three sentences each."""
    rng = Random(seed)
    made = []
    for _ in range(n):
        text, entities = "", []
        for sentence in rng.choices(sentences, k=rng.randint(1, 3)):
            text += " " if text else ""
            for part in re.split(r"\{(\w+)\}", sentence):
                name = rng.choice(names[part]) if part in names else part
                if part in names:
                    entities.append((len(text), len(text) + len(name), part))
                text += name
        made.append((text, entities))
    return made


@cache
def trained(folder: Path):
    """The folder of a pipeline with `model`, `train.spacy`, `test.spacy` and `baseline.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    fix_random_seed(0)
    nlp = spacy.blank("en", meta={"name": "watched", "version": "1.2.3"})
    nlp.add_pipe("crf_ner", config={"model": {"@architectures": "domain_ner.CRF.v1", "tok2vec": LEXICAL}})
    given = [Example.from_dict(nlp.make_doc(text), {"entities": ents}) for text, ents in passages(40, "train")]
    nlp.initialize(lambda: given)
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    for _ in range(15):
        nlp.update(given, sgd=optimizer)
    nlp.to_disk(folder / "model")
    for name, n in (("train", 40), ("test", 300)):
        docs = []
        for text, ents in passages(n, name):
            doc = nlp.make_doc(text)
            doc.ents = [doc.char_span(*ent[:2], label=ent[2]) for ent in ents]
            docs.append(doc)
        DocBin(docs=docs, store_user_data=True).to_disk(folder / f"{name}.spacy")
    made = package_baseline(
        load_pipeline(folder / "model"), folder / "model", folder / "test.spacy", [folder / "train.spacy"]
    )
    (folder / BASELINE_FILE).write_text(to_text(made), encoding="utf8")
    return folder


def write_texts(path: Path, texts) -> Path:
    path.write_text("".join(json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts)), "utf8")
    return path
