"""Small encoders with random weights and a tokenizer trained on the spot, laid out as the model hub lays them out."""

import json
from pathlib import Path

import sentencepiece
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
from transformers import BertConfig, BertModel, DebertaV2Config, DebertaV2Model, RobertaConfig, RobertaModel, set_seed

WIDTH = 32
VOCAB_SIZE = 400
SIZES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def build(family: str, folder: Path, texts: list[str]) -> Path:
    """Write an encoder of the family `roberta`, `deberta-v3` or `bert` to a new folder."""
    folder.mkdir(parents=True)
    set_seed(0)
    {"roberta": _roberta, "deberta-v3": _deberta, "bert": _bert}[family](folder, texts)
    return folder


def _roberta(folder: Path, texts: list[str]) -> None:
    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(texts, vocab_size=VOCAB_SIZE, special_tokens=special)
    tokenizer.save_model(str(folder))
    _write(folder / "tokenizer_config.json", {"model_max_length": 512})
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=514, type_vocab_size=1, **SIZES
    )
    RobertaModel(config).save_pretrained(folder)


def _deberta(folder: Path, texts: list[str]) -> None:
    # As microsoft/deberta-v3-*: a SentencePiece model and no tokenizer.json, and no maximum length either.
    with (folder / "spm.model").open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=stream,
            vocab_size=VOCAB_SIZE,
            hard_vocab_limit=False,
            minloglevel=2,
            pad_id=0,
            bos_id=1,
            eos_id=2,
            unk_id=3,
            pad_piece="[PAD]",
            bos_piece="[CLS]",
            eos_piece="[SEP]",
            unk_piece="[UNK]",
        )
    n_pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model")).get_piece_size()
    _write(folder / "tokenizer_config.json", {"do_lower_case": False, "vocab_type": "spm"})
    config = DebertaV2Config(
        vocab_size=n_pieces + 1,  # [MASK] comes on top
        relative_attention=True,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        max_position_embeddings=512,
        type_vocab_size=0,
        pooler_hidden_size=WIDTH,
        **SIZES,
    )
    DebertaV2Model(config).save_pretrained(folder)


def _bert(folder: Path, texts: list[str]) -> None:
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    tokenizer.train_from_iterator(texts, vocab_size=VOCAB_SIZE)
    tokenizer.save_model(str(folder))
    _write(folder / "tokenizer_config.json", {"do_lower_case": False, "model_max_length": 512})
    BertModel(BertConfig(vocab_size=tokenizer.get_vocab_size(), **SIZES)).save_pretrained(folder)


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content), encoding="utf8")
