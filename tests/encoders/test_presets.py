import re

import pytest
from conftest import ROOT
from spacy.util import get_lang_class

from domain_ner.encoders.card import foreign_language, make_card
from domain_ner.encoders.presets import Preset, find_encoder, load_presets
from domain_ner.errors import DomainNerError

PRESETS = load_presets(ROOT / "configs" / "presets.yml")
NAMED = {
    "roberta-base", "roberta-large", "distilroberta", "deberta-v3-base", "deberta-v3-large", "bert-base-cased",
    "bert-large-cased", "electra-base", "biobert", "pubmedbert", "legal-bert", "finbert", "modernbert-base",
    "xlm-roberta-base", "mdeberta-v3-base",
}  # fmt: skip
MULTILINGUAL = {"xlm-roberta-base", "mdeberta-v3-base"}


def test_the_presets_are_all_there():
    assert set(PRESETS) == NAMED | {"minilm", "mpnet", "cnn"}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_says_what_it_is_for_and_how_to_train_it(preset):
    assert preset.purpose
    assert preset.licence
    assert 0 < preset.learning_rate <= 0.001
    assert preset.batch_size > 0
    if preset.name not in MULTILINGUAL:
        assert preset.languages == (("any",) if preset.name == "cnn" else ("en",))
    assert preset.max_length == (8192 if preset.name == "modernbert-base" else 512) or not preset.is_transformer


@pytest.mark.parametrize("name", sorted(MULTILINGUAL))
def test_a_multilingual_preset_names_languages_that_spacy_has(name):
    languages = PRESETS[name].languages
    assert {"en", "de", "zh", "ar", "nb", "xx"} <= set(languages)
    assert len(set(languages)) == len(languages)
    for code in languages:
        get_lang_class(code)
    told = foreign_language(make_card(PRESETS[name], None), "grc")
    assert f"{name} was pretrained on {len(languages)} other languages, but vars.lang is 'grc'" in told


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_hub_preset_is_pinned_to_a_commit(name):
    assert re.fullmatch("[0-9a-f]{40}", PRESETS[name].revision)


def test_a_hub_id_is_an_encoder_with_or_without_a_revision():
    assert find_encoder("org/some-model", PRESETS).hub_id == "org/some-model"
    pinned = find_encoder("org/some-model@abc123", PRESETS)
    assert (pinned.hub_id, pinned.revision) == ("org/some-model", "abc123")


def test_a_folder_is_an_encoder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert find_encoder(str(tmp_path), PRESETS) == Preset(
        name=tmp_path.name, folder=str(tmp_path), purpose="a local folder"
    )


def test_a_folder_without_an_encoder_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match=r"has no config\.json"):
        find_encoder(str(tmp_path), PRESETS)


def test_an_unknown_name_is_an_error_with_the_nearest_preset():
    with pytest.raises(DomainNerError, match=r"Unknown encoder 'robertabase'(.|\n)*Did you mean 'roberta-base'"):
        find_encoder("robertabase", PRESETS)


def test_an_unknown_setting_is_an_error_that_names_the_preset(tmp_path):
    path = tmp_path / "presets.yml"
    path.write_text("mine:\n  learn_rate: 1\n")
    with pytest.raises(DomainNerError, match=r"mine has unknown settings \['learn_rate'\]"):
        load_presets(path)


def test_a_missing_presets_file_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match="Cannot read the encoder presets"):
        load_presets(tmp_path / "none.yml")


def test_languages_that_are_no_list_are_an_error(tmp_path):
    path = tmp_path / "presets.yml"
    path.write_text("mine:\n  languages: de\n")
    with pytest.raises(DomainNerError, match=r"mine has languages 'de'; expected a list"):
        load_presets(path)


@pytest.mark.parametrize(
    "wheel", ["{name: a==1}", "{name: a==1, sha256: abc}", "a==1", "{name: a==1, sha256: %s, folder: x}" % ("0" * 64)]
)
def test_a_wheel_without_its_checksum_is_an_error(tmp_path, wheel):
    path = tmp_path / "presets.yml"
    for given in (f"\n    - {wheel}", " 3"):
        path.write_text(f"mine:\n  wheels:{given}\n")
        with pytest.raises(DomainNerError, match="mine has the wheel (.|\n)*expected a name and a sha256"):
            load_presets(path)
    path.write_text("mine:\n  wheels:\n")
    assert load_presets(path)["mine"].wheels == ()


@pytest.mark.parametrize(
    ("languages", "is_told"), [(("en",), True), (("en", "de"), False), (("any",), False), ((), False)]
)
def test_an_encoder_of_other_languages_is_told_with_what_to_do(languages, is_told):
    told = foreign_language(make_card(Preset("mine", languages=languages), None), "de")
    assert bool(told) == is_told
    if is_told:
        assert "mine was pretrained on en, but vars.lang is 'de'" in told and "Set vars.encoder" in told
