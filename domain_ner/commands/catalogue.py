"""Lists the commands in the order of the workflow, each with its group and the first line of its help."""

from dataclasses import dataclass

DATA, TRAINING, EVALUATION, LOOP, RELEASE, USE = "Data", "Training", "Evaluation", "Loop", "Release", "Use"


@dataclass(frozen=True)
class Entry:
    """A command. group: its heading in `--help`. summary: equals the help of its function (a test compares them)."""

    group: str
    summary: str


COMMANDS = {
    "init-guide": Entry(
        DATA, "Write a guide skeleton from annotated exports: types, typical sentences, candidate edge cases."
    ),
    "validate": Entry(
        DATA, "Check the guide, and the annotations against it; write training/reports/guide.json and guide.html."
    ),
    "draft": Entry(
        DATA, "Draft annotations from the guide alone, by an LLM, lists of names or GLiNER; write tasks for each tool."
    ),
    "convert": Entry(
        DATA,
        "Convert the annotation exports to corpus/train.spacy, dev.spacy and test.spacy, and write the ledger.",
    ),
    "guide-examples": Entry(
        DATA, "Write the marked sentences of the guide as silver passages, from which train learns."
    ),
    "inspect": Entry(
        DATA,
        "Print tokens, tags and wordpieces of the most suspicious passages, and write training/reports/inspect.html.",
    ),
    "export": Entry(
        DATA,
        "Write a corpus, predictions or exports as Prodigy, Label Studio, doccano, CoNLL, brat or Hugging Face files.",
    ),
    "export-labels": Entry(
        DATA, "Write the guide's types as a Label Studio labelling config and as Prodigy labels with colours."
    ),
    "fetch-encoder": Entry(TRAINING, "Fetch the encoder into assets/encoders, check it, and write its card."),
    "pretrain-encoder": Entry(
        TRAINING,
        "Adapt the encoder to raw text by masked language modelling, and print its perplexity before and after.",
    ),
    "create-config": Entry(
        TRAINING, "Write configs/config.cfg from the fragments, the encoder's card and the corpus, and check it."
    ),
    "tune": Entry(
        TRAINING, "Search for the training settings with the best dev F1, and write training/tuning/best.json."
    ),
    "train": Entry(
        TRAINING,
        "Train the pipeline of configs/config.cfg into training/model-best, with early stopping on dev F1.",
    ),
    "calibrate": Entry(
        TRAINING, "Fit confidences and thresholds on corpus/dev.spacy, and write training/model-calibrated."
    ),
    "evaluate": Entry(
        EVALUATION,
        "Score training/model-calibrated on corpus/test.spacy; write training/metrics.json and a report.",
    ),
    "compare": Entry(
        EVALUATION,
        "Compare two pipelines on corpus/test.spacy; exit with 1 if the second is significantly worse, or the same.",
    ),
    "find-label-errors": Entry(
        EVALUATION,
        "Find annotations that are likely wrong, with models that were not trained on them; write review tasks.",
    ),
    "learning-curve": Entry(
        EVALUATION,
        "Train on growing parts of corpus/train.spacy; predict the F1 with 100, 300 and 1,000 more passages.",
    ),
    "monitor": Entry(
        LOOP,
        "Compare production with what the pipeline was measured on; exit with 0 (fine), 3 (look) or 4 (retrain).",
    ),
    "review-sample": Entry(
        LOOP,
        "Draw a random sample of raw passages to review, and read it back: scores with intervals, proofs of contracts.",
    ),
    "next-batch": Entry(
        LOOP,
        "Choose the raw passages to annotate next, by expected errors; write tasks with suggestions for each tool.",
    ),
    "simulate-annotation": Entry(
        LOOP,
        "Replay annotation on corpus/train.spacy: the F1 that each way of choosing passages reaches, and how soon.",
    ),
    "complete-annotations": Entry(
        LOOP,
        "Add the types that exports were not annotated for: a pipeline's sure answers; where it is unsure, unknown.",
    ),
    "pseudo-label": Entry(
        LOOP,
        "Label raw texts for training: sure spans, and unknown where unsure; admit them once a review proves them.",
    ),
    "distil": Entry(
        LOOP, "Write a large pipeline's exact probabilities of raw texts, from which train teaches a small one."
    ),
    "add-fallback": Entry(
        LOOP,
        "Add a language model for what a pipeline is unsure of: calibrated on dev, switched off, with what it brings.",
    ),
    "optimize": Entry(
        RELEASE,
        "Make training/model-optimized, which runs without PyTorch, and compare it with the trained pipeline.",
    ),
    "package": Entry(
        RELEASE,
        "Build the wheels into training/packages, install them into a clean environment, and compare the predictions.",
    ),
    "release": Entry(
        RELEASE,
        "Add the pipeline to a registry as a new version, if it is not worse than the one in use; resumable.",
    ),
    "promote": Entry(RELEASE, "Take a released version into use, after its files are checked; the former one is kept."),
    "rollback": Entry(
        RELEASE, "Take the version into use again that was promoted before; a second rollback goes back further."
    ),
    "history": Entry(
        RELEASE, "List what was released, promoted and rolled back in a registry, and which version is in use."
    ),
    "fetch-release": Entry(
        RELEASE, "Copy the wheels of the version in use into training/packages, after their hashes are checked."
    ),
    "export-hf": Entry(
        RELEASE,
        "Write the pipeline as a Hugging Face token classifier, and what that costs in F1 by aggregation strategy.",
    ),
    "import-hf": Entry(
        RELEASE,
        "Make a spaCy pipeline of a fine-tuned Hugging Face token classifier, with confidences and long texts.",
    ),
    "clean": Entry(RELEASE, "Remove the outputs of the workflow; keep the folders themselves."),
    "annotate": Entry(
        USE, "Annotate any number of documents in several processes; a run that was stopped or killed is continued."
    ),
    "serve": Entry(
        USE, "Serve a pipeline over HTTP: an API, a page to try it on, metrics, and Label Studio's protocol."
    ),
}
