"""The layers of the package: a module imports only from layers above it, and feature folders not each other."""

import ast
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest
from conftest import ROOT

# 0 types and small helpers, 1 pure maths, 2 data in and out, thinc models, 3 spaCy components and what trains them,
# 4 reports and packages. A new module is added here, in its room.
LAYERS = {
    0: [
        "__init__", "archives", "carried", "components", "corpus_check", "devices", "errors", "files", "label_names",
        "locks", "markup", "passages", "records", "spool", "words",
    ],
    1: [
        "assigned", "calibration", "choosing", "scores", "splits", "file_splits", "grouping", "agreement",
        "near_duplicates", "set_join", "normalization", "tag_schemes",
        "metrics/__init__", "metrics/advice", "metrics/learning_curve", "metrics/mistakes",
        "metrics/perturbations", "metrics/resampling", "metrics/schemes", "metrics/suspects", "metrics/traits",
        "transformer/alignment", "transformer/cpu_training", "transformer/encoding", "transformer/layers",
        "transformer/windows",
        "crf_ner/decoding", "crf_ner/lattice", "crf_ner/loss", "crf_ner/selection", "crf_ner/settings",
    ],
    2: [
        "readers/__init__", "readers/argilla", "readers/argilla_fields", "readers/argilla_questions", "readers/bioc",
        "readers/brat", "readers/cas", "readers/cas_content", "readers/cas_files", "readers/column_blocks",
        "readers/column_survey", "readers/columns", "readers/conll", "readers/conllu", "readers/conllu_names",
        "readers/dataturks", "readers/decoding", "readers/docbin", "readers/doccano", "readers/folder",
        "readers/gliner", "readers/guarded_json", "readers/hf_json", "readers/html_text", "readers/json_rows",
        "readers/json_stream", "readers/jsonl", "readers/label_studio", "readers/label_studio_records",
        "readers/label_studio_regions", "readers/label_studio_survey", "readers/label_studio_table",
        "readers/label_studio_texts", "readers/libraries", "readers/prodigy", "readers/projects", "readers/pubtator",
        "readers/python_literals", "readers/sentence_lines", "readers/spacy_json", "readers/standoff",
        "readers/tagged", "readers/tagged_words", "readers/text_evidence", "readers/token_columns",
        "readers/token_csv", "readers/tokens", "readers/unread", "readers/unread_marks", "readers/webanno",
        "readers/webanno_layers", "readers/webanno_old", "readers/xml_text", "conversion/__init__",
        "conversion/ledger_rows",
        "conversion/importing", "conversion/ledger", "conversion/merging", "conversion/offsets", "conversion/spans",
        "conversion/split_evidence", "conversion/token_splits", "encoders/__init__", "encoders/presets",
        "encoders/pretraining", "encoders/card",
        "readers/python_rows", "readers/read_twice", "readers/spacing", "readers/text_fit", "readers/word_edges",
        "encoders/fetch", "languages", "crf_ner/__init__", "crf_ner/foreign_tokens", "crf_ner/model", "crf_ner/padding",
        "crf_ner/targets", "crf_ner/training_data",
        "transformer/__init__", "transformer/model", "transformer/tokenizing",
        "transformer/lexical", "transformer/pooling", "transformer/shim", "transformer/architectures",
        "guide/__init__", "guide/schema",
        "guide/rules", "guide/findings", "guide/occurrences", "guide/inconsistencies", "guide/statistics",
        "guide/check_guide", "guide/check_annotations", "guide/validate", "guide/skeleton", "guide/labelling",
    ],
    3: [
        "annotations", "tokenizer", "docs", "wordpieces", "corpus_file", "config", "saving", "crf_ner/fitting",
        "crf_ner/pipe", "crf_ner/probing",
        "training/__init__", "training/batching", "training/checkpoint", "training/freezing", "training/loop",
        "training/oversampling", "training/parts", "training/reached", "training/run", "training/seeds",
        "training/summary", "training/tuning",
    ],
    4: [
        "evaluation/__init__", "evaluation/certainties", "evaluation/comparison", "evaluation/predicting",
        "evaluation/report", "evaluation/gold", "evaluation/label_errors", "evaluation/learning_curve",
        "evaluation/review", "evaluation/robustness", "evaluation/schema",
        "evaluation/sections", "evaluation/suspect_schema", "placing",
        "inspection",
        "packaging", "writers/__init__", "writers/brat", "writers/conll",
        "writers/doccano", "writers/formats", "writers/hf_json", "writers/json_files", "writers/label_studio",
        "writers/options", "writers/passages", "writers/prodigy", "writers/queues", "writers/tokens",
        "reports/__init__", "reports/charts", "reports/comparison_markdown", "reports/comparison_page",
        "reports/evaluation_page",
        "reports/evaluation_markdown", "reports/figures", "reports/label_errors_markdown",
        "reports/learning_curve_report",
        "reports/markdown", "reports/model_card",
        "reports/guide_page", "reports/inspect_page", "reports/pages", "reports/marks",
    ],
}  # fmt: skip
LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names}
TORCH = {
    "devices", "transformer/cpu_training", "transformer/encoding", "transformer/layers", "crf_ner/decoding",
    "crf_ner/lattice", "crf_ner/loss",
}  # fmt: skip
PURE = [name for name in LAYERS[0] + LAYERS[1] if name not in TORCH]
HEAVY = {"spacy", "spacy_transformers", "torch", "transformers", "thinc"}
PACKAGE = ROOT / "domain_ner"
MODULES = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))


@cache
def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [
        node for node in ast.walk(ast.parse(path.read_text("utf8"))) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def imported_names(path: Path) -> list[str]:
    found = []
    for node in imports(path):
        names = [alias.name for alias in node.names]
        # Of `from domain_ner.readers import brat`, `domain_ner.readers.brat` is one too.
        found += names if isinstance(node, ast.Import) else [node.module, *(f"{node.module}.{name}" for name in names)]
    return found


def own_imports(path: Path) -> list[str]:
    """The modules of the package that a file imports, as in LAYERS."""
    inner = [
        name.partition(".")[2].replace(".", "/") for name in imported_names(path) if name.split(".")[0] == "domain_ner"
    ]
    found = [name if name in MODULES else f"{name}/__init__" if name else "__init__" for name in inner]
    return [name for name in found if name in MODULES]


def test_every_module_has_a_layer():
    assert sorted(LAYER_OF) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_its_own_layer_or_above(name):
    for imported in own_imports(PACKAGE / f"{name}.py"):
        assert LAYER_OF[imported] <= LAYER_OF[name], imported


@pytest.mark.parametrize("name", [name for name in MODULES if "/" in name])
def test_feature_folders_do_not_import_each_other(name):
    folder = name.split("/")[0]
    if folder in {"reports", "evaluation"}:  # they show and measure what every feature does
        return
    for imported in own_imports(PACKAGE / f"{name}.py"):
        assert "/" not in imported or imported.split("/")[0] == folder, imported


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_know_no_framework(name):
    assert not HEAVY & {imported.split(".")[0] for imported in imported_names(PACKAGE / f"{name}.py")}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("readers/")])
def test_what_one_format_needs_is_imported_when_it_is_read(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf8"))
    top_level = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or node.names[0].name for node in top_level]
    assert not {name.partition(".")[0] for name in names} & {"bioc", "cassis", "lxml"}


@pytest.mark.parametrize("name", MODULES)
def test_nothing_in_the_package_prints_or_reads_the_command_line(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"print", "input"}
    assert "argv" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_what_spacy_finds_by_entry_point_imports_without_torch():
    """spaCy loads every entry point when it misses a name, so that one import that fails breaks every pipeline."""
    todo = [entry.module for entry in distribution("domain-ner").entry_points]
    assert todo
    seen = set()
    while todo:
        module = todo.pop().removeprefix("domain_ner.").replace(".", "/")
        seen.add(module)
        path = PACKAGE / f"{module}.py"
        top_level = [
            node for node in ast.parse(path.read_text("utf8")).body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        names = [getattr(node, "module", None) or node.names[0].name for node in top_level]
        assert not {name.split(".")[0] for name in names} & {"torch", "transformers", "spacy_transformers"}, module
        todo += [name for name in names if name.startswith("domain_ner.") and name not in seen]
