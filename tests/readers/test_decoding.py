import codecs
import tracemalloc

import pytest

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.readers.text_files import decoding
from domain_ner.readers.text_files.decoding import (
    CHUNK_BYTES,
    SAMPLE_CHARS,
    find_encoding,
    read_lines,
    read_sample,
    read_text,
)

MEGABYTES = 200
RUSSIAN = "Москва является столицей России. Владимир живёт в Санкт-Петербурге.\n"
JAPANESE = "東京は日本の首都です。田中さんは大阪に住んでいます。カタカナ。\n"


@pytest.fixture
def write(tmp_path):
    def write_bytes(content):
        path = tmp_path / "export.txt"
        path.write_bytes(content)
        return path

    return write_bytes


def lines(path):
    return [line for _, line in read_lines(path, FileLog(path.name))]


def text_and_notes(path):
    log = FileLog(path.name)
    return read_text(path, log), log.notes


@pytest.mark.parametrize(
    ("mark", "encoding", "told"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding_and_is_removed(write, mark, encoding, told):
    path = write(mark + "Zürich 🔥\r\nzwei\n".encode(encoding))
    assert text_and_notes(path) == ("Zürich 🔥\r\nzwei\n", [f"byte-order mark removed ({told})"])
    assert lines(path) == ["Zürich 🔥", "zwei"]


def test_utf8_without_mark_needs_no_note(write):
    assert text_and_notes(write("Zürich 🔥".encode())) == ("Zürich 🔥", [])


def test_a_file_of_no_bytes_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"is empty \(0 bytes\)"):
        find_encoding(write(b""), FileLog("f"))


@pytest.mark.parametrize("content", [b"a\0b", "Redis".encode("utf-16-le"), b"PK\3\4\0\0\0"])
def test_null_bytes_are_no_text(write, content):
    with pytest.raises(DomainNerError, match="it has null bytes"):
        find_encoding(write(content), FileLog("f"))


def test_utf16_that_was_cut_off_is_an_error(write):
    path = write(codecs.BOM_UTF16_LE + "Redis".encode("utf-16-le")[:-1])
    with pytest.raises(DomainNerError, match="marked as utf-16 but does not decode as that"):
        read_sample(path)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Müller B-PER\n", "not UTF-8 (byte 0xfc at 1): read as cp1252"),
        ("and so on… he said “no”\n", "not UTF-8 (byte 0x85 at 9): read as cp1252"),
        ("Le café est fermé à Orléans.\n" * 50, "not UTF-8 (byte 0xe9 at 6): read as cp1252"),
        ("La société a été créée à Orléans.\n" * 9, "not UTF-8 (byte 0xe9 at 7): read as cp1252"),
        ("ÄÖÜß, Müller.\nfür Jürgen Größe ¿Qué?\n" * 9, "not UTF-8 (byte 0xc4 at 0): read as cp1252"),
        ("£5 ± 3 µm at 20° C", "not UTF-8 (byte 0xa3 at 0): read as cp1252"),
    ],
)
def test_western_text_is_read_as_cp1252(write, text, note):
    assert text_and_notes(write(text.encode("cp1252"))) == (text, [note])


def test_the_ellipsis_of_cp1252_is_no_line_end(write):
    assert lines(write("and so on… he\n".encode("cp1252"))) == ["and so on… he"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", RUSSIAN * 5),
        ("cp1251", "".join(f"{word}\tB-LOC\n" for word in RUSSIAN.split()) * 5),
        ("cp1251", f'{{"id": 1, "text": "{RUSSIAN.strip()}", "label": [[0, 6, "LOC"]]}}\n' * 5),
        ("koi8_r", RUSSIAN * 5),
        ("cp1253", "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και ο Γιώργος ζει εκεί.\n" * 5),
        ("shift_jis", JAPANESE * 5),
        ("euc_jp", JAPANESE * 5),
        ("gb18030", "北京是中国的首都。张三住在上海，他在一家公司工作。\n" * 5),
        ("big5", "台北是臺灣的首都。張三住在高雄，他在一家公司工作。\n" * 5),
        ("euc_kr", "서울은 대한민국의 수도이다. 김철수는 부산에 살고 있다.\n" * 5),
    ],
)
def test_other_encodings_are_told_by_their_bytes(write, encoding, text):
    read, (note,) = text_and_notes(write(text.encode(encoding)))
    assert read == text
    assert note.startswith("not UTF-8 (byte 0x")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "北京是中国的首都。张三住在上海，他在一家公司工作。"),
        ("euc_jp", "東京は日本の首都です。田中さんは会社で働いています。"),
        ("euc_kr", "서울은대한민국의수도이다.김철수는부산에살고있다."),
    ],
)
def test_a_character_a_row_tells_the_encoding_too(write, encoding, text):
    rows = "".join(f"{character}\tO\n" for character in text * 3)
    assert text_and_notes(write(rows.encode(encoding)))[0] == rows


def test_two_accents_that_are_a_word_do_not_make_a_file_another_script(write):
    text = "Der Fluß hieß ÄÖ, und später größer; für Müller über die Brücke.\n"
    assert text_and_notes(write(text.encode("cp1252")))[0] == text


@pytest.mark.parametrize(("before", "end"), [("", "\n"), ("a", "\n"), ("", "")])
def test_evidence_that_is_cut_inside_a_character_still_tells_the_encoding(write, before, end):
    text = f"{before}北京是中国的首都。张三住在上海，他在一家公司工作。{end}" * 2000
    assert text_and_notes(write(text.encode("gb18030")))[0] == text


def test_bytes_that_are_in_no_encoding_do_not_lose_the_file(write):
    assert text_and_notes(write(b"Caf\xe9 \x81 \xe9\n"))[0] == "Café \x81 é\n"


def test_an_invalid_byte_beyond_the_first_megabyte_is_found(write):
    start = "x" * (CHUNK_BYTES + 17)
    text, notes = text_and_notes(write(start.encode() + "Müller\n".encode("cp1252")))
    assert text == f"{start}Müller\n"
    assert notes == [f"not UTF-8 (byte 0xfc at {CHUNK_BYTES + 18}): read as cp1252"]


@pytest.mark.parametrize("n_before", range(4))
def test_a_character_across_a_chunk_edge_is_not_cut(write, n_before):
    text = "x" * (CHUNK_BYTES - n_before) + "🔥 Zürich"
    assert text_and_notes(write(text.encode())) == (text, [])


@pytest.mark.parametrize("n_before", range(4))
def test_the_place_of_an_invalid_byte_is_right_after_a_character_across_a_chunk_edge(write, n_before):
    text = "x" * (CHUNK_BYTES - n_before) + "🔥"
    note = text_and_notes(write(text.encode() + b"\xe9 x"))[1]
    place = CHUNK_BYTES - n_before + 4
    assert note == [f"1 places are not UTF-8 (the first: byte 0xe9 at {place}): read there as cp1252"]


def test_one_stray_byte_does_not_garble_a_utf8_file(write):
    good = "Zürich 京都 🔥\n"
    path = write(good.encode() * 3 + b"M\xfcller \x81\n" + good.encode() * 3)
    assert text_and_notes(path)[0] == good * 3 + "Müller \x81\n" + good * 3
    assert lines(path)[3] == "Müller \x81"


def test_a_utf8_file_that_was_cut_inside_a_character_is_still_utf8(write):
    text, notes = text_and_notes(write("Zürich and Genè".encode()[:-1]))
    assert text.startswith("Zürich and Gen")
    assert notes == ["1 places are not UTF-8 (the first: byte 0xc3 at 15): read there as cp1252"]


def test_a_byte_order_mark_of_utf8_stays_right_for_the_rest_of_a_file_with_a_stray_byte(write):
    text, notes = text_and_notes(write(codecs.BOM_UTF8 + b"M\xfcller \xe9\xe8\n"))
    assert text == "Müller éè\n"
    assert "byte-order mark removed (utf-8)" in notes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\r", ["a", "b"]),
        (b"a\rb", ["a", "b"]),
        (b"a\n\r\n\rb", ["a", "", "", "b"]),
        (b"\n", [""]),
        ("a \t\n b\u00a0\u2028\r\n".encode(), ["a \t", " b\u00a0\u2028"]),
        (b"a\n\n", ["a", ""]),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n".encode(), ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"]),
        (codecs.BOM_UTF8, []),
    ],
)
def test_lines_end_at_line_feed_and_carriage_return_alone(write, content, expected):
    assert lines(write(content)) == expected


def test_lines_are_numbered_from_one(write):
    assert list(read_lines(write(b"a\n\nb"), FileLog("f"))) == [(1, "a"), (2, ""), (3, "b")]


@pytest.mark.parametrize("size", [8192, CHUNK_BYTES])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("n_before", [-1, 0, 1, 2])
def test_a_line_end_across_a_chunk_edge_is_one(write, size, end, n_before):
    first = "x" * (size - n_before)
    assert lines(write(f"{first}{end}b".encode())) == [first, "b"]


def test_a_whole_text_keeps_its_line_ends(write):
    assert text_and_notes(write(b"a\r\nb\rc\n"))[0] == "a\r\nb\rc\n"


@pytest.mark.parametrize(("n_chars", "whole"), [(SAMPLE_CHARS, True), (SAMPLE_CHARS + 1, False), (3, True)])
def test_a_sample_is_the_start_and_knows_whether_it_is_all(write, n_chars, whole):
    assert read_sample(write(("é" * n_chars).encode())) == ("é" * min(n_chars, SAMPLE_CHARS), whole)


def test_a_large_file_is_read_in_flat_memory(tmp_path):
    path, line = tmp_path / "large.jsonl", ('{"text": "' + "Zürich, uses Redis. " * 500 + '"}\n').encode()
    n_lines = MEGABYTES * (1 << 20) // len(line)
    with path.open("wb") as stream:
        stream.writelines(line for _ in range(n_lines))
    tracemalloc.start()
    try:
        n_read = sum(1 for _ in read_lines(path, FileLog(path.name)))
        read_sample(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
        path.unlink()
    assert n_read == n_lines


def test_a_file_of_one_long_line_takes_no_more_than_a_few_times_its_size(write):
    path = write(b"x" * (24 << 20))
    tracemalloc.start()
    try:
        assert len(lines(path)[0]) == 24 << 20
        assert tracemalloc.get_traced_memory()[1] < 4 * (24 << 20)
    finally:
        tracemalloc.stop()


def test_the_codec_of_mixed_files_decodes_bytes_too():
    assert "Zürich".encode().decode(decoding.MIXED) == "Zürich"
    assert b"Z\xfcrich".decode(decoding.MIXED) == "Zürich"
