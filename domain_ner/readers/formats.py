"""The supported formats: one module each, with the names of `annotations.records.Format`."""

from typing import cast

from domain_ner.annotations.records import Format
from domain_ner.readers import dataturks, doccano, gliner, hf_json, prodigy
from domain_ner.readers.argilla import rows as argilla
from domain_ner.readers.columns import conll, conllu, token_csv
from domain_ner.readers.label_studio import table as label_studio_table
from domain_ner.readers.label_studio import tasks as label_studio
from domain_ner.readers.spacy_files import docbin, spacy_json
from domain_ner.readers.standoff import bioc, brat, pubtator
from domain_ner.readers.webanno import cas
from domain_ner.readers.webanno import tsv as webanno

# In the order of detection: the more specific format first.
FORMATS = cast(
    tuple[Format, ...],
    (
        prodigy, label_studio, label_studio_table, dataturks, argilla, gliner, hf_json, spacy_json, cas, doccano, bioc,
        pubtator, webanno, conllu, brat, docbin, token_csv, conll,
    ),
)  # fmt: skip
