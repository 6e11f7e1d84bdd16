"""Groups of texts that are nearly the same: exactly those of all pairs, without comparing all pairs."""

import random
import time
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.corpus import near_duplicates
from domain_ner.corpus.connected import connected
from domain_ner.corpus.near_duplicates import group_near_duplicates, similarity, word_ngrams
from domain_ner.corpus.splits import ALIKE, NGRAM

TEXTS = st.lists(st.lists(st.sampled_from([*"abcd", "日", "本"]), max_size=9).map(" ".join), max_size=14)
SENTENCES = {
    "ja": "昨夜、東京のデータセンターで電源装置が故障し、決済サービスが三時間停止した。",
    "zh": "昨晚东京数据中心的电源设备发生故障，支付服务中断了三个小时。",
    "th": "เมื่อคืนอุปกรณ์จ่ายไฟที่ศูนย์ข้อมูลขัดข้องและบริการหยุดทำงานสามชั่วโมง",
    "my": "မနေ့ညက ဒေတာစင်တာတွင် ပါဝါစနစ် ချို့ယွင်းသဖြင့် ဝန်ဆောင်မှု ရပ်ဆိုင်းခဲ့သည်။",
    "km": "កាលពីយប់មិញឧបករណ៍ផ្គត់ផ្គង់ថាមពលនៅមជ្ឈមណ្ឌលទិន្នន័យបានខូចហើយសេវាកម្មត្រូវផ្អាក",
    "lo": "ຄືນວານນີ້ອຸປະກອນຈ່າຍໄຟຢູ່ສູນຂໍ້ມູນຂັດຂ້ອງແລະການບໍລິການຢຸດເຮັດວຽກສາມຊົ່ວໂມງ",
}


def groups_of_all_pairs(texts, n, threshold):
    sets = [word_ngrams(text, n) for text in texts]
    alike = [
        (a, b)
        for a, b in combinations(range(len(texts)), 2)
        if sets[a] and len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= threshold
    ]
    return list(connected(range(len(texts)), alike).values())


@pytest.mark.parametrize("common_from", [2, 1000])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
@given(texts=TEXTS)
def test_equals_comparing_every_pair(texts, threshold, common_from):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "COMMON_FROM", common_from)
        patch.setattr(near_duplicates, "N_BUCKETS", 64)
        found = group_near_duplicates(texts, n=2, threshold=threshold)
    assert found == groups_of_all_pairs(texts, 2, threshold)


@pytest.mark.parametrize("common_from", [2, 4, 1000])
@pytest.mark.parametrize("seed", range(40))
def test_equals_comparing_every_pair_of_texts_of_one_template(monkeypatch, seed, common_from):
    monkeypatch.setattr(near_duplicates, "COMMON_FROM", common_from)
    monkeypatch.setattr(near_duplicates, "N_BUCKETS", 1 << 12)
    rng = random.Random(seed)
    words, texts = [f"w{n}" for n in range(rng.randint(10, 60))], []
    for _ in range(40):
        own = list(words)
        for _ in range(rng.randint(0, 3)):
            own[rng.randrange(len(own))] = str(rng.randrange(4))
        texts.append(" ".join(own[: rng.choice([len(own), rng.randint(1, len(own))])]))
    for threshold in (0.5, 0.8):
        assert group_near_duplicates(texts, n=5, threshold=threshold) == groups_of_all_pairs(texts, 5, threshold)


def template(number, other, n_words=60):
    words = [f"w{n}" for n in range(n_words)]
    words[5], words[40] = str(number), str(other)
    return " ".join(words)


@pytest.mark.parametrize(
    "texts",
    [
        [template(n, 7) for n in range(4000)],
        [template(n % 63, n // 63) for n in range(4000)],
        [f"{template(n, 7)} {'x' if n % 2 else 'y'} {'x y z ' * 5}" for n in range(4000)],
    ],
    ids=["one number", "two numbers", "two templates"],
)
def test_texts_of_a_template_are_one_group_in_little_time(texts):
    begun = time.perf_counter()
    assert set(group_near_duplicates(texts, n=NGRAM, threshold=ALIKE)) <= {0, 1}
    assert time.perf_counter() - begun < 20


def test_texts_of_a_template_that_are_not_alike_enough_take_little_time_too():
    texts = [template(n, -n, n_words=50) for n in range(4000)]
    begun = time.perf_counter()
    assert group_near_duplicates(texts, n=NGRAM, threshold=ALIKE) == list(range(4000))
    assert time.perf_counter() - begun < 20


def test_case_and_punctuation_do_not_matter():
    texts = ["One two, three!", "other", "one TWO three"]
    assert group_near_duplicates(texts, n=2, threshold=0.5) == [0, 1, 0]
    assert similarity(texts[0], texts[2], n=2) == 1.0


def test_texts_without_words_are_like_nothing():
    assert group_near_duplicates(["...", "!!!", ""], n=5, threshold=0.5) == [0, 1, 2]
    assert similarity("...", "...", n=5) == 0


@pytest.mark.parametrize("lang", SENTENCES)
def test_sentences_without_spaces_that_differ_in_a_character_are_nearly_the_same(lang):
    text = SENTENCES[lang]
    at = len(text) // 2
    while not text[at].isalnum():
        at += 1
    other = text[:at] + text[3] + text[at + 1 :]
    assert text[at] != text[3]
    assert group_near_duplicates([text, "間違い" * 9, other], n=NGRAM, threshold=ALIKE) == [0, 1, 0]


def test_sentences_without_spaces_that_say_other_things_are_not():
    others = [
        "今朝、大阪の倉庫で新しい在庫管理の仕組みが動き始め、担当者は驚いた。",
        "今早大阪仓库启用了新的库存管理系统，员工们感到惊讶。",
    ]
    texts = [SENTENCES["ja"], others[0], SENTENCES["zh"], others[1]]
    assert group_near_duplicates(texts, n=NGRAM, threshold=0.5) == [0, 1, 2, 3]


def test_words_and_characters_mix():
    text = "昨夜 Kafka のブローカー broker-17 が停止し、Payments squad が三時間にわたって復旧に当たった。"
    texts = [text, text.replace("17", "18"), text.replace("復", "修"), "Kafka broker-17 Payments squad"]
    assert group_near_duplicates(texts, n=NGRAM, threshold=0.8) == [0, 0, 0, 3]


@pytest.mark.parametrize(
    "text",
    [
        "The pump 17 failed at noon today",
        "Насос 17 сломался сегодня в полдень",
        "تعطلت المضخة ١٧ اليوم عند الظهر تماما",
        "오늘 정오에 펌프 17 이 고장 났다",
    ],
)
def test_n_grams_of_text_with_spaces_are_runs_of_words(text):
    words = text.lower().split()
    assert word_ngrams(text, 5) == {hash(tuple(words[n : n + 5])) for n in range(len(words) - 4)}
