"""The last check of a training config: what `spacy debug config` refuses is an error with its words."""

import pytest
from spacy.cli import init_config

from domain_ner.errors import DomainNerError
from domain_ner.training.settings import debug_config


@pytest.mark.parametrize(
    ("change", "reason"),
    [(("dropout = 0.1", 'dropout = "much"'), "dropout"), (('factory = "ner"', 'factory = "no_such"'), "no_such")],
)
def test_what_spacy_refuses_is_an_error_with_its_words(tmp_path, capsys, change, reason):
    text = init_config(lang="en", pipeline=["ner"], silent=True).to_str()
    text = text.replace("train = null", 'train = "train.spacy"').replace("dev = null", 'dev = "dev.spacy"')
    config = tmp_path / "config.cfg"
    config.write_text(text, encoding="utf8")
    debug_config(config)
    assert change[0] in text
    config.write_text(text.replace(*change, 1), encoding="utf8")
    with pytest.raises(DomainNerError, match=f"(?s)spacy debug config refuses the config:.*{reason}"):
        debug_config(config)
    assert capsys.readouterr().out == ""
