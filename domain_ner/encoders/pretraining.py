"""Continues an encoder's pretraining (masked language modelling) on raw text of a domain, with transformers' Trainer.

Domain-adaptive pretraining as in Gururangan et al. (2020); pseudo-perplexity as in Salazar et al. (2020).
"""

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain_ner.encoders.card import EncoderCard
from domain_ner.encoders.presets import INHERITED, ORIGIN
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path, discard, find_damage, require_replaceable, seal, sha256, sync, write_text

# Share of the text that is held out to measure the improvement.
HELD_OUT = 0.05
# Number of held-out wordpieces that are masked, one at a time.
N_MEASURED = 2000
MASKED = 0.15


@dataclass(frozen=True)
class Pretraining:
    """Settings of a pretraining. epochs: passes over the text. batch: windows in a batch.

    window: wordpieces in a window, special ones included. learning_rate: at its peak. seed: of the held-out windows
    and of the masking.
    """

    epochs: int
    batch: int
    window: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Pretrained:
    """The result of a pretraining. n_windows, n_held_out: windows of text.

    before, after: pseudo-perplexity on the held-out windows; lower is better.
    is_new_head: the encoder came without a masked-language-modelling head, so a new one was trained.
    """

    n_windows: int
    n_held_out: int
    before: float
    after: float
    is_new_head: bool


def origin_of(encoder: EncoderCard) -> dict[str, Any]:
    """What to note beside an encoder that is adapted from this one. Raises DomainNerError where there is none to adapt.

    It is trained as what it comes from is: else nobody could tell whether reading has made it better.
    """
    if not encoder.path:
        raise DomainNerError(f"{encoder.name} is no pretrained encoder.", "Choose one that is with vars.encoder.")
    return {"adapted_from": encoder.name} | {key: getattr(encoder, key) for key in INHERITED}


def pretrain(  # noqa: PLR0913
    encoder: Path,
    texts: Sequence[str],
    output: Path,
    settings: Pretraining,
    *,
    origin: Mapping[str, Any],
    say: Callable[[str], None] = lambda _: None,
) -> Pretrained:
    """Write an adapted encoder to the folder `output`, whole or not at all.

    encoder: folder of a Hugging Face model. texts: documents of any length; repeated ones are read once.
    origin: the source to record beside the adapted encoder. say: receives messages about an interrupted run.
    An interrupted run with the same texts, encoder and settings resumes from its last complete epoch.
    Raises DomainNerError when there is too little text, or when accelerate is not installed.
    """
    transformers = _import()
    transformers.set_seed(settings.seed)
    require_replaceable(output, "config.json", "an adapted encoder")
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder, use_fast=True)
    if tokenizer.mask_token_id is None:
        raise DomainNerError(f"The encoder {encoder} has no mask token: it cannot be pretrained this way.")
    held_out, learned = hold_out(list(cut(tokenizer, texts, settings.window)), seed=settings.seed)
    if len(learned) < settings.batch:
        raise DomainNerError(
            f"The text makes {len(held_out) + len(learned)} different windows of {settings.window} wordpieces, but at"
            f" least {settings.batch + 1} are needed for one batch and the held-out windows.",
            "Add text, or choose a smaller window or batch.",
        )
    model, loaded = transformers.AutoModelForMaskedLM.from_pretrained(encoder, output_loading_info=True)
    before = pseudo_perplexity(model, tokenizer, held_out, seed=settings.seed)
    work = output.with_name(f"{output.name}.unfinished")
    claim(work, encoder, texts, settings)
    trainer = transformers.Trainer(
        model=model,
        args=_arguments(transformers, work, settings),
        train_dataset=[{"input_ids": window} for window in learned],
        data_collator=transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED),
        callbacks=[_sealing(transformers)],
    )
    trainer.train(resume_from_checkpoint=find_whole(work, say))
    after = pseudo_perplexity(model, tokenizer, held_out, seed=settings.seed)
    with atomic_path(output) as new:
        model.base_model.save_pretrained(new)
        tokenizer.save_pretrained(new)
        write_text(new / ORIGIN, json.dumps(dict(origin)) + "\n")
    discard(work)
    return Pretrained(len(learned), len(held_out), before, after, is_new_head=bool(loaded["missing_keys"]))


def find_whole(work: Path, say: Callable[[str], None]) -> str | None:
    """Find the last undamaged checkpoint of an unfinished run, if any; damaged ones are reported and removed."""
    for path in sorted(work.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2])):
        damage = find_damage(path)
        if not damage:
            say(f"Resuming the interrupted run from {path}")
            return str(path)
        say(f"{path} is damaged: {damage}")
        discard(path)
    return None


def _sealing(transformers: Any) -> Any:
    class Sealing(transformers.TrainerCallback):  # type: ignore[misc]
        def on_save(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")
            sync(Path(args.output_dir))

    return Sealing()


def claim(work: Path, encoder: Path, texts: Sequence[str], settings: Pretraining) -> None:
    """Record which run the folder of an unfinished run belongs to; first remove the folder of another run."""
    identity = {"settings": asdict(settings), "texts": hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()}
    identity["encoder"] = {path.name: sha256(path) for path in sorted(encoder.iterdir()) if path.is_file()}
    record, text = work / "run.json", json.dumps(identity, sort_keys=True)
    if work.exists() and not (record.is_file() and record.read_text(encoding="utf8") == text):
        discard(work)
    write_text(record, text)


def hold_out(windows: Sequence[list[int]], *, seed: int) -> tuple[list[list[int]], list[list[int]]]:
    """Draw a share of the windows with the seed, and return it and the rest; each distinct window occurs once."""
    unique = [list(window) for window in dict.fromkeys(map(tuple, windows))]
    random.Random(seed).shuffle(unique)
    n = math.ceil(HELD_OUT * len(unique))
    return unique[:n], unique[n:]


def cut(tokenizer: Any, texts: Sequence[str], window: int) -> Iterator[list[int]]:
    """Yield the wordpiece ids of windows of text, special ones included. All text is used; windows never mix texts."""
    size = window - tokenizer.num_special_tokens_to_add()
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        for start in range(0, len(ids), size):
            yield tokenizer.build_inputs_with_special_tokens(ids[start : start + size])


def pseudo_perplexity(model: Any, tokenizer: Any, windows: Sequence[Sequence[int]], *, seed: int) -> float:
    """Compute the pseudo-perplexity of a masked wordpiece, given the rest of its window; 1 is the minimum.

    The seed draws at most `N_MEASURED` wordpieces of the windows; each is masked alone.
    """
    import torch  # noqa: PLC0415

    special = set(tokenizer.all_special_ids)
    positions = [(n, k) for n, ids in enumerate(windows) for k, piece in enumerate(ids) if piece not in special]
    chosen = random.Random(seed).sample(positions, min(N_MEASURED, len(positions)))
    model.eval()
    total = 0.0
    with torch.no_grad():
        for n, k in chosen:
            ids = torch.tensor([list(windows[n])], device=model.device)
            piece, ids[0, k] = int(ids[0, k]), tokenizer.mask_token_id
            total -= float(model(input_ids=ids).logits[0, k].log_softmax(-1)[piece])
    return math.exp(total / len(chosen))


def _arguments(transformers: Any, work: Path, settings: Pretraining) -> Any:
    import torch  # noqa: PLC0415

    return transformers.TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=settings.batch,
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        warmup_ratio=0.1,
        weight_decay=0.01,
        seed=settings.seed,
        save_strategy="epoch",
        save_total_limit=2,
        logging_strategy="epoch",
        group_by_length=True,
        report_to=[],
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _import() -> Any:
    try:
        import accelerate  # noqa: F401, PLC0415 (the Trainer needs it)
        import transformers  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(f"pretrain-encoder needs another package: {err}.", 'pip install -e ".[pretrain]"') from err
    return transformers
