import pytest
from conftest import ROOT
from pipelines import run

from domain_ner.corpus.languages import blank
from domain_ner.errors import DomainNerError


def test_a_code_of_spacy_gives_a_pipeline():
    assert blank("xx").lang == "xx"


@pytest.mark.parametrize(("code", "near"), [("DE", "de"), ("de_DE", "de"), ("pt-BR", "pt")])
def test_an_unknown_code_is_an_error_with_the_nearest(code, near):
    with pytest.raises(DomainNerError, match=f"vars.lang is '{code}'(.|\\n)*Did you mean '{near}'(.|\\n)* xx, yo"):
        blank(code)


def fetch_cnn(folder, lang, encoder="cnn"):
    presets = ["--presets", ROOT / "configs" / "presets.yml"]
    arguments = ["--encoder", encoder, *presets, "--encoders", folder, "--lang", lang]
    return run("fetch_encoder", folder / "encoder.json", *arguments, check=False)


def test_fetch_encoder_stops_at_an_unknown_language(tmp_path):
    ran = fetch_cnn(tmp_path, "deutsch")
    assert (ran.returncode, "vars.lang is 'deutsch'" in ran.stderr) == (1, True)


def test_fetch_encoder_warns_of_an_encoder_of_another_language(tiny_encoder, tmp_path):
    encoders = tmp_path / "roberta-base"
    encoders.mkdir()
    for path in tiny_encoder("roberta").iterdir():
        (encoders / path.name).write_bytes(path.read_bytes())
    ran = fetch_cnn(tmp_path, "de", "roberta-base")
    assert ran.returncode == 0
    assert "⚠ The encoder roberta-base was pretrained on en, but vars.lang is 'de'" in ran.stdout
    assert "⚠" not in fetch_cnn(tmp_path, "en", "roberta-base").stdout + fetch_cnn(tmp_path, "de").stdout
