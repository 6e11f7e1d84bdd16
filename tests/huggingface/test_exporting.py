"""Exported models: what transformers loads, and how far it agrees with the pipeline."""

import json
import os

import jsonschema
import pytest
import spacy
import srsly
import torch
from pipelines import run
from tiny_encoders import CLASSES
from tiny_pipelines import SENTENCES, saved
from tiny_taggers import logits_of
from transformers import AutoTokenizer, pipeline

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import load_pipeline, read_docs
from domain_ner.huggingface.distilling import DistillSettings, distill, settings_of
from domain_ner.huggingface.exporting import Parts, collect_windows, export, require_stride
from domain_ner.huggingface.parity import Exported, measure_parity
from domain_ner.huggingface.strategies import STRATEGIES, load_tagger, predict_all
from domain_ner.huggingface.tagger import make_tagger
from domain_ner.huggingface.targets import iob2_labels


@pytest.fixture(scope="module")
def pipelines(tiny_encoder, tmp_path_factory):
    """A function from a family to the folder of its pipeline and its corpus."""
    folders = {family: tmp_path_factory.mktemp(family) for family in CLASSES}
    return lambda family, **options: saved(tiny_encoder(family), folders[family], **options)


def unwatched(name, total):
    from contextlib import nullcontext

    return nullcontext(lambda: None)


def exported(pipelines, tmp_path, family="bert", epochs=0):
    model, corpus = pipelines(family)
    parts = Parts.of(load_pipeline(model))
    docs = [parts.nlp.make_doc(doc.text) for doc in read_docs(corpus, parts.nlp.vocab)]
    settings = settings_of(parts.nlp, epochs=epochs, seed=0)
    folder = tmp_path / "exported"
    return parts, docs, folder, export(parts, docs, folder, settings, watched=unwatched)


@pytest.mark.parametrize("family", CLASSES)
def test_the_exported_model_gives_probabilities_near_the_pipelines(pipelines, tmp_path, family):
    parts, docs, folder, divergence = exported(pipelines, tmp_path, family)
    assert divergence < 0.5
    windows = collect_windows(parts, docs, watched=unwatched)
    total, n_pieces = 0.0, 0
    for doc, window in zip(docs, windows, strict=True):
        logits, offsets = logits_of(folder, doc.text)
        assert len(offsets) == len(window.positions)
        probs = torch.from_numpy(window.probs)
        total += float((probs * (probs.clamp(min=1e-9).log() - logits.log_softmax(1))).sum())
        n_pieces += len(offsets)
    assert total / n_pieces == pytest.approx(divergence, abs=0.01)


def test_the_folder_has_what_transformers_reads_and_nothing_of_this_machine(pipelines, tmp_path):
    parts, _, folder, _ = exported(pipelines, tmp_path)
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(os.listdir(folder))
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    assert config["architectures"] == ["BertForTokenClassification"]
    assert list(config["id2label"].values()) == ["O", "B-INFRA", "B-TEAM", "I-INFRA", "I-TEAM"]
    assert config["layer_norm_eps"] == 1e-12
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.model_max_length == parts.window == 64
    assert tokenizer.backend_tokenizer.truncation is None and tokenizer.backend_tokenizer.padding is None
    for path in folder.iterdir():
        assert str(tmp_path.parent) not in path.read_bytes().decode("utf8", "replace"), path
        assert path.stat().st_mode == (folder / "config.json").stat().st_mode


def test_training_brings_the_classifier_to_the_pipelines_probabilities(pipelines):
    parts = Parts.of(load_pipeline(pipelines("bert")[0]))
    docs = [parts.nlp.make_doc(text) for text, _ in SENTENCES]
    windows = collect_windows(parts, docs, watched=unwatched)
    settings, trained = DistillSettings(epochs=40, learning_rate=1e-3, batch_size=2), []
    for _ in range(2):
        torch.manual_seed(0)
        tagger, steps = make_tagger(parts.transformer.transformer, iob2_labels(parts.recogniser.labels)), []
        before = divergence_of(tagger, windows)
        embeddings = tagger.encoder.get_input_embeddings().weight.clone()
        torch.manual_seed(len(trained))  # what is random in training has its own seed
        distill(tagger, windows, settings, pad=0, on_step=lambda steps=steps: steps.append(1))
        assert divergence_of(tagger, windows) < 0.3 * before
        assert len(steps) == settings.n_steps(len(windows)) == 120
        assert torch.equal(embeddings, tagger.encoder.get_input_embeddings().weight)
        trained.append(tagger.model.state_dict())
    assert all(torch.equal(weights, trained[1][name]) for name, weights in trained[0].items())


def divergence_of(tagger, windows):
    """Of the classifier from the targets, summed over all wordpieces."""
    total = 0.0
    for window in windows:
        with torch.no_grad():
            logits = tagger.model(input_ids=torch.tensor([window.row])).logits[0, torch.from_numpy(window.positions)]
        probs = torch.from_numpy(window.probs)
        total += float(torch.nn.functional.kl_div(logits.log_softmax(1), probs, reduction="sum"))
    return total


def test_strategies_are_those_of_transformers_on_long_texts_too(pipelines, tmp_path):
    _, _, folder, _ = exported(pipelines, tmp_path, "roberta")
    tagger = load_tagger(folder, gpu=-1)
    texts = [text for text, _ in SENTENCES] + [" ".join(text for text, _ in SENTENCES) * 3, "", "\n "]
    found = list(predict_all(tagger, texts, stride=8))
    assert len(found) == len(texts)
    for name in STRATEGIES:
        own = pipeline("token-classification", model=str(folder), aggregation_strategy=name, stride=8)
        for text, by_strategy in zip(texts[:-2], found, strict=False):
            groups = [(group["start"], group["end"], group["entity_group"]) for group in own(text)]
            expected = [group for group in groups if group[0] < group[1]]  # a lone space is no entity
            assert by_strategy[name] == expected
    assert found[-3]["simple"][-1][1] > 400
    assert found[-1] == found[-2] == {name: [] for name in STRATEGIES}


def test_offsets_leave_out_the_space_before_a_word(pipelines, tmp_path):
    _, _, folder, _ = exported(pipelines, tmp_path, "deberta-v3")
    texts = [text for text, _ in SENTENCES]
    for text, found in zip(texts, predict_all(load_tagger(folder, gpu=-1), texts, stride=8), strict=True):
        for start, end, _ in found["simple"]:
            assert text[start:end] == text[start:end].strip() != ""


def test_the_sheet_compares_each_strategy_with_the_pipeline(pipelines, tmp_path):
    parts, _, folder, divergence = exported(pipelines, tmp_path)
    gold = read_docs(pipelines("bert")[1], parts.nlp.vocab)
    told = Exported(folder, "tiny", stride=8, epochs=0, divergence=divergence)
    parity = measure_parity(parts, told, gold, "corpus", gpu=-1, watched=unwatched)
    assert [row.name for row in parity.rows] == ["pipeline", "argmax", "no lexical features", *STRATEGIES]
    row = parity.row("pipeline")
    assert (row.difference, row.agreement, row.micro.support) == (0.0, 1.0, 9)
    assert row.micro.f1 > 0.9 and set(row.by_type) == {"INFRA", "TEAM"}
    assert parity.row("argmax").micro.f1 > 0.5 and parity.row("first").micro.f1 > 0.5
    assert parity.has_words


def test_without_lexical_features_the_sheet_has_no_row_for_them(tiny_encoder, tmp_path):
    model, corpus = saved(tiny_encoder("bert"), tmp_path, lexical=False)
    parts = Parts.of(load_pipeline(model))
    gold = read_docs(corpus, parts.nlp.vocab)
    folder = tmp_path / "exported"
    export(parts, [parts.nlp.make_doc(doc.text) for doc in gold], folder, settings_of(parts.nlp, epochs=0, seed=0),
           watched=unwatched)  # fmt: skip
    told = Exported(folder, "tiny", stride=8, epochs=0, divergence=0.0)
    parity = measure_parity(parts, told, gold, "corpus", gpu=-1, watched=unwatched)
    assert [row.name for row in parity.rows] == ["pipeline", "argmax", *STRATEGIES]


def test_the_commands_export_and_import_again(pipelines, tmp_path):
    model, corpus = pipelines("bert")
    folder, pipeline_again = tmp_path / "hf", tmp_path / "again"
    options = ["--fit-on", corpus, "--epochs", "2", "--licence", "MIT"]
    ran = run("export_hf", model, corpus, folder, *options)
    assert 'pipeline("token-classification", model=' in ran.stdout
    card = (folder / "README.md").read_text(encoding="utf8")
    front = srsly.yaml_loads(card.split("---")[1])
    assert (front["library_name"], front["license"], front["pipeline_tag"]) == (
        "transformers", "mit", "token-classification",
    )  # fmt: skip
    assert "| simple |" in card and "| simple |" in (folder / "parity.md").read_text(encoding="utf8")
    sheet = json.loads((folder / "parity.json").read_text(encoding="utf8"))
    jsonschema.validate(sheet, json.loads((folder / "parity.schema.json").read_text(encoding="utf8")))
    ran = run("import_hf", folder, pipeline_again)
    assert "read as iob2" in ran.stdout and "types: INFRA, TEAM" in ran.stdout
    text = SENTENCES[0][0]
    first, again = spacy.load(model)(text), spacy.load(pipeline_again)(text)
    assert {ent.text for ent in again.ents} & {ent.text for ent in first.ents}


def test_what_cannot_be_exported_says_why(tmp_path, pipelines):
    with pytest.raises(DomainNerError, match="no transformer of domain-ner; its components are crf_ner"):
        nlp = spacy.blank("en")
        nlp.add_pipe("crf_ner")
        Parts.of(nlp)
    nlp = load_pipeline(pipelines("bert")[0])
    with pytest.raises(DomainNerError, match="epochs is -1"):
        settings_of(nlp, epochs=-1, seed=0)
    with pytest.raises(DomainNerError, match="stride is 32; expected less than half"):
        require_stride(Parts.of(nlp), 32)
    assert require_stride(Parts.of(nlp), -1) == 8
    with pytest.raises(DomainNerError, match="has no tokens"):
        collect_windows(Parts.of(nlp), [nlp.make_doc("")], watched=unwatched)
    nlp.remove_pipe("crf_ner")
    with pytest.raises(DomainNerError, match="no crf_ner; its components are transformer"):
        Parts.of(nlp)


def test_nothing_is_left_if_an_export_fails(pipelines, tmp_path):
    model, corpus = pipelines("bert")
    ran = run("export_hf", model, corpus, tmp_path / "hf", "--fit-on", tmp_path / "missing.spacy", check=False)
    assert ran.returncode == 1 and "missing.spacy" in ran.stderr
    assert os.listdir(tmp_path) == []
