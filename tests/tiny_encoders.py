"""Small encoders with random weights and a tokenizer trained on the spot, laid out as the model hub lays them out."""

import json
from pathlib import Path

import sentencepiece
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
    set_seed,
)

# One family for each way of attention and positions, then those that differ from one of them in wordpieces or in names.
CLASSES = ["roberta", "deberta-v3", "bert", "mpnet", "modernbert"]
FAMILIES = [*CLASSES, "xlm-roberta", "mdeberta-v3", "electra", "distilbert"]
WIDTH = 32
VOCAB_SIZE = 400
SIZES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def build(family: str, folder: Path, texts: list[str]) -> Path:
    """Write an encoder of one of the `FAMILIES` to a new folder."""
    folder.mkdir(parents=True)
    set_seed(0)
    builders = {
        "roberta": _roberta,
        "deberta-v3": _deberta,
        "bert": _bert,
        "mpnet": _mpnet,
        "modernbert": _modernbert,
        "xlm-roberta": _xlm_roberta,
        "mdeberta-v3": _mdeberta,
        "electra": _electra,
        "distilbert": _distilbert,
    }
    builders[family](folder, texts)
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
    _deberta_of(folder, texts, byte_fallback=False)


def _mdeberta(folder: Path, texts: list[str]) -> None:
    # As microsoft/mdeberta-v3-base: its SentencePiece model has a piece for each byte too.
    _deberta_of(folder, texts, byte_fallback=True)


def _deberta_of(folder: Path, texts: list[str], *, byte_fallback: bool) -> None:
    # As microsoft/deberta-v3-*: a SentencePiece model and no tokenizer.json, and no maximum length either.
    with (folder / "spm.model").open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=stream,
            vocab_size=VOCAB_SIZE,
            hard_vocab_limit=False,
            byte_fallback=byte_fallback,
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
    BertModel(BertConfig(vocab_size=_bert_wordpieces(folder, texts), **SIZES)).save_pretrained(folder)


def _electra(folder: Path, texts: list[str]) -> None:
    # As google/electra-small-discriminator: embeddings narrower than the layers, and a product between.
    vocab_size = _bert_wordpieces(folder, texts)
    ElectraModel(ElectraConfig(vocab_size=vocab_size, embedding_size=16, **SIZES)).save_pretrained(folder)


def _distilbert(folder: Path, texts: list[str]) -> None:
    # As distilbert-base-cased: other names for the sizes, and no token types.
    config = DistilBertConfig(
        vocab_size=_bert_wordpieces(folder, texts),
        dim=SIZES["hidden_size"],
        n_layers=SIZES["num_hidden_layers"],
        n_heads=SIZES["num_attention_heads"],
        hidden_dim=SIZES["intermediate_size"],
    )
    DistilBertModel(config).save_pretrained(folder)


def _bert_wordpieces(folder: Path, texts: list[str]) -> int:
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    tokenizer.train_from_iterator(texts, vocab_size=VOCAB_SIZE)
    tokenizer.save_model(str(folder))
    _write(folder / "tokenizer_config.json", {"do_lower_case": False, "model_max_length": 512})
    return tokenizer.get_vocab_size()


def _mpnet(folder: Path, texts: list[str]) -> None:
    # As all-mpnet-base-v2: BERT's wordpieces with RoBERTa's special ones, and positions that start at 2.
    tokenizer = BertWordPieceTokenizer(lowercase=True, unk_token="[UNK]")
    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    tokenizer.train_from_iterator(texts, vocab_size=VOCAB_SIZE, special_tokens=special)
    tokenizer.save_model(str(folder))
    _write(folder / "tokenizer_config.json", {"do_lower_case": True, "model_max_length": 512})
    config = MPNetConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=514, **SIZES)
    MPNetModel(config).save_pretrained(folder)


def _modernbert(folder: Path, texts: list[str]) -> None:
    # As answerdotai/ModernBERT-base: a tokenizer.json of no class of its own; most layers see only what is near.
    tokenizer = ByteLevelBPETokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer.train_from_iterator(texts, vocab_size=VOCAB_SIZE, special_tokens=special)
    tokenizer._tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    names = dict(zip(["unk_token", "cls_token", "sep_token", "pad_token", "mask_token"], special, strict=True))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer,
        model_max_length=8192,
        model_input_names=["input_ids", "attention_mask"],
        **names,
    ).save_pretrained(folder)
    config = ModernBertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=8192,
        local_attention=16,
        global_attn_every_n_layers=2,
        pad_token_id=3,
        cls_token_id=1,
        bos_token_id=1,
        sep_token_id=2,
        eos_token_id=2,
        **SIZES,
    )
    ModernBertModel(config).save_pretrained(folder)


def _xlm_roberta(folder: Path, texts: list[str]) -> None:
    # As FacebookAI/xlm-roberta-base: a SentencePiece model, whose words begin with "▁" and may hold any script.
    with (folder / "sentencepiece.bpe.model").open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=stream,
            vocab_size=VOCAB_SIZE,
            hard_vocab_limit=False,
            normalization_rule_name="nmt_nfkc",
            minloglevel=2,
        )
    model = str(folder / "sentencepiece.bpe.model")
    n_pieces = sentencepiece.SentencePieceProcessor(model_file=model).get_piece_size()
    _write(folder / "tokenizer_config.json", {"model_max_length": 512})
    config = XLMRobertaConfig(
        vocab_size=n_pieces + 2,  # <pad> and <mask> come on top
        max_position_embeddings=514,
        type_vocab_size=1,
        **SIZES,
    )
    XLMRobertaModel(config).save_pretrained(folder)


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content), encoding="utf8")
