"""create-config: fragments, presets and choices joined into a config that trains."""

from dataclasses import replace

import pytest
from conftest import ROOT
from thinc.api import Config

from domain_ner.encoders.card import EncoderCard, make_card
from domain_ner.encoders.presets import load_presets
from domain_ner.errors import DomainNerError
from domain_ner.training.config import MAX_SUGGESTED, Choices, build_config, plan_steps

FRAGMENTS = ROOT / "configs"
PRESETS = load_presets(FRAGMENTS / "presets.yml")
HUB_PRESETS = [name for name, preset in PRESETS.items() if preset.hub_id]
CHOICES = Choices(lang="en", head="transition", epochs=20, patience=5, seed=7, mixed_precision=False)
LENGTHS = [30] * 100
FAMILY = {"roberta": "roberta", "distilroberta": "roberta", "deberta": "deberta-v3", "modernbert": "modernbert"}
FAMILY |= {"xlm-roberta": "xlm-roberta", "mdeberta": "mdeberta-v3"}


@pytest.fixture
def card_of(tiny_encoder):
    """A function from a preset to its card, with a tiny encoder of its family in the place of the hub's."""

    def get(name):
        family = next((tiny for prefix, tiny in FAMILY.items() if name.startswith(prefix)), "bert")
        return make_card(PRESETS[name], tiny_encoder(family))

    return get


@pytest.mark.parametrize("name", HUB_PRESETS)
def test_a_preset_resolves_to_a_config_with_its_settings(card_of, name):
    config = build_config(FRAGMENTS, card_of(name), CHOICES, LENGTHS)
    model, training = config["components"]["transformer"]["model"], config["training"]
    expected = {"use_fast": True, "model_max_length": PRESETS[name].max_length}
    assert model["tokenizer_config"] | expected == model["tokenizer_config"]
    rate = training["optimizer"]["learn_rate"]["initial_rate"] * model["learn_rate_factor"]
    assert rate == pytest.approx(PRESETS[name].learning_rate)
    assert training["batcher"]["size"] == PRESETS[name].batch_size
    assert config["nlp"]["pipeline"] == ["transformer", "ner"]


def test_nothing_in_the_config_discards_data(card_of):
    for name in ["roberta-base", "deberta-v3-base", "bert-base-cased", "cnn"]:
        card = card_of(name) if name != "cnn" else make_card(PRESETS["cnn"], None)
        text = build_config(FRAGMENTS, card, CHOICES, LENGTHS).to_str()
        assert "discard_oversize = true" not in text
        assert "max_length = 0" in text
        assert not [line for line in text.splitlines() if line.startswith("max_length") and line != "max_length = 0"]


def test_cnn_has_no_transformer():
    config = build_config(FRAGMENTS, make_card(PRESETS["cnn"], None), CHOICES, LENGTHS)
    assert config["nlp"]["pipeline"] == ["tok2vec", "ner"]
    assert config["training"]["optimizer"]["learn_rate"] == 0.001


def test_the_rate_falls_to_zero_at_the_last_step(card_of):
    config = build_config(FRAGMENTS, card_of("roberta-base"), CHOICES, LENGTHS)
    schedule, training = config["training"]["optimizer"]["learn_rate"], config["training"]
    assert schedule["@schedules"] == "warmup_linear.v1"
    assert schedule["total_steps"] == training["max_steps"]
    assert schedule["warmup_steps"] == round(training["max_steps"] / 10)


def test_epochs_patience_and_evaluations_are_counted_in_steps(card_of):
    training = build_config(FRAGMENTS, card_of("roberta-base"), CHOICES, LENGTHS)["training"]
    n_steps_per_epoch = 7  # 100 passages in batches of 16
    assert training["max_epochs"] == 20
    assert training["eval_frequency"] == n_steps_per_epoch - 1
    assert training["max_steps"] == 20 * training["eval_frequency"]
    assert training["patience"] == 5 * training["eval_frequency"]


@pytest.mark.parametrize("n_steps", [1, 2, 3, 10, 57])
@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_the_last_step_is_evaluated_and_within_the_epochs(n_steps, epochs):
    plan = plan_steps(n_steps, epochs=epochs, patience=3)
    assert plan.max_steps % plan.eval_frequency == 0
    assert plan.max_steps <= max(epochs * n_steps - 1, epochs)
    assert 1 <= plan.warmup_steps <= plan.max_steps


def test_language_seed_and_precision_are_the_users(card_of):
    choices = replace(CHOICES, lang="de", mixed_precision=True)
    config = build_config(FRAGMENTS, card_of("roberta-base"), choices, LENGTHS).interpolate()
    assert (config["nlp"]["lang"], config["training"]["seed"]) == ("de", 7)
    assert config["components"]["transformer"]["model"]["mixed_precision"] is True


def test_windows_fit_an_encoder_with_few_positions(card_of):
    card = replace(card_of("bert-base-cased"), max_length=64)
    model = build_config(FRAGMENTS, card, CHOICES, LENGTHS)["components"]["transformer"]["model"]
    assert (model["window"], model["overlap"], model["tokenizer_config"]["model_max_length"]) == (0, 16, 64)


def test_the_config_is_the_same_after_a_trip_to_the_disk(card_of, tmp_path):
    config = build_config(FRAGMENTS, card_of("deberta-v3-base"), CHOICES, LENGTHS)
    config.to_disk(tmp_path / "config.cfg")
    assert Config().from_disk(tmp_path / "config.cfg") == config.interpolate()


def test_an_unknown_head_is_an_error_that_lists_those_there(card_of):
    with pytest.raises(DomainNerError, match=r"head_cfr\.cfg; expected one of: crf, spancat, transition"):
        build_config(FRAGMENTS, card_of("roberta-base"), replace(CHOICES, head="cfr"), LENGTHS)


@pytest.mark.parametrize("name", ["epochs", "patience"])
def test_less_than_one_epoch_is_an_error(card_of, name):
    with pytest.raises(DomainNerError, match=f"vars.{name} is 0"):
        build_config(FRAGMENTS, card_of("roberta-base"), replace(CHOICES, **{name: 0}), LENGTHS)


def test_a_broken_fragment_is_an_error_that_names_it(card_of, tmp_path):
    for path in FRAGMENTS.glob("*.cfg"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "base.cfg").write_text("[training\n")
    with pytest.raises(DomainNerError, match=r"base\.cfg is not a valid config"):
        build_config(tmp_path, card_of("roberta-base"), CHOICES, LENGTHS)


def test_a_missing_card_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match="Run fetch-encoder first"):
        EncoderCard.read(tmp_path / "none.json")


def test_roberta_does_not_count_the_positions_it_never_uses(tiny_encoder):
    assert make_card(replace(PRESETS["roberta-base"], max_length=0), tiny_encoder("roberta")).max_length == 512


def test_settings_have_the_last_word_also_on_the_number_of_steps(card_of):
    settings = {"training.dropout": 0.4, "training.batcher.size": 2, "components.crf_ner.type_weights": "auto"}
    choices = replace(CHOICES, head="crf", settings=settings)
    config = build_config(FRAGMENTS, card_of("bert-base-cased"), choices, LENGTHS)
    assert config["training"]["dropout"] == 0.4
    assert config["components"]["crf_ner"]["type_weights"] == "auto"
    assert config["training"]["eval_frequency"] == len(LENGTHS) // 2 - 1


def test_a_setting_of_a_section_that_is_not_there_is_refused(card_of):
    choices = replace(CHOICES, settings={"components.nerr.x": 1})
    with pytest.raises(DomainNerError, match=r"names \[components.nerr\], which the config does not have"):
        build_config(FRAGMENTS, card_of("bert-base-cased"), choices, LENGTHS)


def test_a_setting_that_a_section_does_not_know_is_refused(card_of):
    choices = replace(CHOICES, head="crf", settings={"components.crf_ner.typo": 1})
    with pytest.raises(Exception, match="typo"):
        build_config(FRAGMENTS, card_of("bert-base-cased"), choices, LENGTHS)


def test_oversampling_wraps_the_reader(card_of):
    config = build_config(FRAGMENTS, card_of("bert-base-cased"), replace(CHOICES, oversample=0.2), LENGTHS)
    train = config["corpora"]["train"]
    assert (train["@readers"], train["threshold"], train["seed"]) == ("domain_ner.Oversample.v1", 0.2, 7)
    assert train["corpus"]["@readers"] == "spacy.Corpus.v1"


def test_spancat_suggests_spans_as_long_as_the_annotations_within_reason(card_of):
    for longest, expected in ((3, 8), (15, 15), (500, MAX_SUGGESTED)):
        choices = replace(CHOICES, head="spancat", longest=longest)
        config = build_config(FRAGMENTS, card_of("minilm"), choices, LENGTHS)
        assert config["components"]["spancat"]["suggester"]["max_size"] == expected


def test_a_misspelt_setting_of_training_is_an_error_with_the_nearest():
    choices = replace(CHOICES, settings={"training.dropot": 0.3})
    with pytest.raises(
        DomainNerError, match=r"sets training\.dropot, which the config does not have: did you mean 'dropout'"
    ):
        build_config(FRAGMENTS, make_card(PRESETS["cnn"], None), choices, LENGTHS)
