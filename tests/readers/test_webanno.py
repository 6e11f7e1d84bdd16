import pytest

from domain_ner.annotations.records import FileLog, Problem, ReaderOptions, Sample
from domain_ner.conversion.offsets import locate
from domain_ner.errors import DomainNerError
from domain_ner.readers.webanno import tsv as webanno

NER = "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value"
POS = "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue"
OLD_NER = " # de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity | value"


@pytest.fixture
def write(tmp_path):
    def write_document(*sentences, layers=("#T_SP=webanno.custom.Span|value",), name="doc.tsv"):
        path = tmp_path / name
        body = "\n\n".join(sentences)
        path.write_text("\n".join(["#FORMAT=WebAnno TSV 3.3", *layers, "", "", body, ""]), "utf8")
        return path

    return write_document


@pytest.fixture
def write_old(tmp_path):
    def write_text(text):
        path = tmp_path / "old.tsv"
        path.write_text(text, "utf8")
        return path

    return write_text


def sentence(text, *rows):
    return "\n".join([f"#Text={text}", *("\t".join([*row, ""]) for row in rows)])


def read(path, **options):
    log = FileLog(path.name)
    (record,) = webanno.read(path, ReaderOptions(**options), log)
    return record, log


def found(record):
    located = zip(record.spans, locate(record, None), strict=True)
    return [(record.text[at.start : at.end], span.label) for span, at in located if at.start is not None]


ANNA = sentence("Anna left", ("1-1", "0-4", "Anna", "PER"), ("1-2", "5-9", "left", "_"))


def test_an_annotation_of_a_token_is_read(write):
    record, log = read(write(ANNA))
    assert found(record) == [("Anna", "PER")]
    assert (record.text, record.document, log.n_documents) == ("Anna left", "doc", 1)


def test_offsets_are_utf16(write):
    rows = ("1-1", "0-2", "😊", "_"), ("1-2", "3-7", "Anna", "PER")
    assert found(read(write(sentence("😊 Anna", *rows)))[0]) == [("Anna", "PER")]


def test_tokens_with_one_id_are_one_annotation(write):
    rows = ("1-1", "0-3", "New", "LOC[1]"), ("1-2", "4-8", "York", "LOC[1]"), ("1-3", "8-9", ".", "LOC[2]")
    assert found(read(write(sentence("New York.", *rows)))[0]) == [("New York", "LOC"), (".", "LOC")]


def test_stacked_annotations_are_told_apart(write):
    rows = ("1-1", "0-3", "New", "LOC[1]|ORG[2]"), ("1-2", "4-8", "York", "LOC[1]")
    assert found(read(write(sentence("New York", *rows)))[0]) == [("New York", "LOC"), ("New", "ORG")]


def test_an_annotation_goes_on_in_the_next_sentence(write):
    first = sentence("Anna", ("1-1", "0-4", "Anna", "PER[1]"))
    second = sentence("Smith", ("2-1", "5-10", "Smith", "PER[1]"))
    assert found(read(write(first, second))[0]) == [("Anna\nSmith", "PER")]


def test_sentences_without_space_between_them_adjoin(write):
    first, second = sentence("one", ("1-1", "0-3", "one", "_")), sentence("two", ("2-1", "3-6", "two", "N"))
    record, _ = read(write(first, second))
    assert (record.text, found(record)) == ("onetwo", [("two", "N")])


def test_space_between_sentences_is_filled_up(write):
    first, second = sentence("one", ("1-1", "0-3", "one", "_")), sentence("two", ("2-1", "6-9", "two", "N"))
    assert found(read(write(first, second))[0]) == [("two", "N")]


def test_a_sentence_of_several_lines_has_line_ends(write):
    rows = ("1-1", "0-3", "one", "_"), ("1-2", "4-7", "two", "N")
    record, _ = read(write(sentence("one\n#Text=two", *rows)))
    assert (record.text, found(record)) == ("one\ntwo", [("two", "N")])


def test_parts_of_tokens_are_read(write):
    rows = ("1-1", "0-6", "Berlin", "_"), ("1-1.1", "0-3", "Ber", "X"), ("1-1.2", "2-6", "rlin", "Y")
    assert found(read(write(sentence("Berlin", *rows)))[0]) == [("Ber", "X"), ("rlin", "Y")]


def test_a_prefix_written_with_its_token_ends_where_the_prefix_does(write):
    rows = ("1-1", "0-6", "Berlin", "X[1]"), ("1-1.1", "0-3", "Ber", "X[1]")
    assert found(read(write(sentence("Berlin", *rows)))[0]) == [("Ber", "X")]


def test_a_span_of_no_width_is_passed_on(write):
    rows = ("1-1", "0-4", "Anna", "_"), ("1-1.1", "0-0", "", "X")
    (span,) = read(write(sentence("Anna", *rows)))[0].spans
    assert (span.start, span.end, span.text) == (0, 0, None)


def test_an_annotation_without_a_value_has_no_label(write):
    (span,) = read(write(sentence("Anna", ("1-1", "0-4", "Anna", "*"))))[0].spans
    assert span.label is None


def test_in_a_layer_without_features_its_name_is_the_label(write):
    path = write(sentence("Anna", ("1-1", "0-4", "Anna", "*")), layers=("#T_SP=webanno.custom.Person|",))
    assert found(read(path)[0]) == [("Anna", "Person")]


@pytest.mark.parametrize(
    ("written", "label"),
    [(r"A\_B", "A_B"), (r"\*", "*"), (r"A\|B", "A|B"), (r"A\[1\]", "A[1]"), (r"A\\\->B", r"A\->B")],
)
def test_values_are_unescaped(write, written, label):
    (span,) = read(write(sentence("Anna", ("1-1", "0-4", "Anna", written))))[0].spans
    assert span.label == label


def test_the_text_is_unescaped(write):
    rows = ("1-1", "0-3", "one", "_"), ("1-2", "4-7", "two", "N")
    record, _ = read(write(sentence(r"one\ttwo \\ 3", *rows)))
    assert (record.text, found(record)) == ("one\ttwo \\ 3", [("two", "N")])


def test_characters_that_java_escapes_are_one_each(write):
    rows = ("1-1", "0-2", "😊", "_"), ("1-2", "3-7", "Anna", "PER")
    record, _ = read(write(sentence(r"\uD83D\uDE0A Anna", *rows)))
    assert (record.text, found(record)) == ("😊 Anna", [("Anna", "PER")])


def test_named_entities_come_before_other_layers(write):
    layers = POS, NER, "#T_SP=webanno.custom.Span|value", "#T_RL=webanno.custom.Rel|kind|BT_webanno.custom.Span"
    path = write(sentence("Anna", ("1-1", "0-4", "Anna", "NE", "*", "PER", "x", "_", "_")), layers=layers)
    record, log = read(path)
    assert found(record) == [("Anna", "PER")]
    assert log.notes == [
        "entities from the layer de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity, feature value"
    ]


def test_several_likely_layers_need_one_to_be_named(write):
    layers = "#T_SP=webanno.custom.One|value", "#T_SP=webanno.custom.Two|value|other"
    path = write(sentence("Anna", ("1-1", "0-4", "Anna", "a", "b", "c")), layers=layers)
    with pytest.raises(DomainNerError, match=r"webanno.custom.One and webanno.custom.Two may each have the entities"):
        read(path)
    assert found(read(path, field="Two")[0]) == [("Anna", "b")]
    assert found(read(path, field="Two|other")[0]) == [("Anna", "c")]


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_a_document_without_a_layer_of_entities_has_none_or_was_not_seen(write, empty, answer):
    record, log = read(write(sentence("Anna", ("1-1", "0-4", "Anna", "NE")), layers=(POS,)), empty=empty)
    assert (record.text, record.spans, record.answer) == ("Anna", (), answer)
    assert log.notes == ["no layer has entities (layers: POS): read as annotated without any"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("1-3\t9-10", "2 columns, expected 4: id, offsets, token, one a feature; the line is left out"),
        ("1-3\t9999999999-9999999999\tx\tPER", "offset 9999999999 is 9999999989 characters after the text"),
    ],
)
def test_a_row_that_cannot_be_read_costs_its_token_and_no_other(write, row, told):
    record, log = read(write(f"{ANNA}\n{row}"))
    assert found(record) == [("Anna", "PER")]
    assert (log.failures, log.n_tokens) == ([Problem(8, told, "token")], 3)


def test_offsets_that_begin_anew_are_counted_on(write):
    first, second = (
        sentence("Anna left", ("1-1", "0-4", "Anna", "_")),
        sentence("Ben ran", ("2-1", "0-3", "Ben", "PER")),
    )
    record, log = read(write(first, second))
    assert found(record) == [("Ben", "PER")]
    assert any("restart in each sentence" in note for note in log.notes)


def test_version_2_is_placed_in_its_text(write_old):
    rows = "1-1\tGo\tO\t\n1-2\t,\tO\t\n1-3\tNew\tB-LOC|B-ORG\t\n1-4\tYork\tI-LOC\t\n1-5\t!\tO\t\n"
    record, _ = read(write_old(f"{OLD_NER}\n#id=1\n#text=Go, New York!\n{rows}"))
    assert record.text == "Go, New York!"
    assert found(record) == [("New York", "LOC"), ("New", "ORG")]


def test_version_2_keeps_stacked_annotations_of_one_label_apart(write_old):
    text = f"{OLD_NER}\n#id=1\n#text=New York\n1-1\tNew\tB-LOC|B-LOC\t\n1-2\tYork\tI-LOC|I-LOC\t\n"
    assert found(read(write_old(text))[0]) == [("New York", "LOC")] * 2


def test_version_2_without_a_value_has_no_label(write_old):
    text = f"{OLD_NER}\n#id=1\n#text=Anna\n1-1\tAnna\tB-de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity_\t\n"
    (span,) = read(write_old(text))[0].spans
    assert span.label is None


def test_version_1_has_its_entities_in_the_fifth_column(write_old):
    rows = "1\tAnna\t_\tNNP\tB-PER\tO\t2\tSBJ\t_\t_\n2\tleft\t_\tVBD\tO\tO\t0\tROOT\t_\t_\n"
    text = f"#id=1\n#text=Anna left\n{rows}\n#id=2\n#text=Anna left\n{rows}"
    record, _ = read(write_old(text))
    assert record.text == "Anna left\nAnna left"
    assert found(record) == [("Anna", "PER")] * 2


def test_an_old_orphan_opens_an_entity(write_old):
    (span,) = read(write_old(f"{OLD_NER}\n#id=1\n#text=Anna\n1-1\tAnna\tI-PER\t\n"))[0].spans
    assert span.repairs == ("I-PER opens an entity",)


def test_old_tokens_that_are_not_in_their_text_make_it(write_old):
    record, log = read(write_old(f"{OLD_NER}\n#id=1\n#text=Anna\n1-1\tBen\tB-PER\t\n1-2\tran\tO\t\n"))
    assert (record.text, found(record)) == ("Ben ran", [("Ben", "PER")])
    (note,) = (note for note in log.notes if "is not in the text of its sentence" in note)
    assert note.endswith(": 'Ben' in line 4")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#FORMAT=WebAnno TSV 3.2\n", True),
        (f"{OLD_NER}\n#id=1\n#text=Anna\n1-1\tAnna\tO\t\n", True),
        ("#id=1\n#text=Anna\n1\tAnna\t_\tN\tO\tO\t0\tR\t_\t_\n", True),
        ("# sent_id = 1\n# text = Anna\n1\tAnna\t_\tN\t_\t_\t0\troot\t_\t_\n", False),
        ("Anna\tB-PER\n", False),
        ("# id | text\nAnna\tB-PER\n", False),
    ],
)
def test_webanno_alone_is_recognised(tmp_path, text, expected):
    assert webanno.recognises(Sample(tmp_path / "doc.tsv", text, whole=True)) == expected


def test_a_layer_without_a_name_is_a_layer_all_the_same(write):
    record, _ = read(
        write(ANNA, layers=("#T_SP=", "#T_SP=webanno.custom.Span|value")), field="webanno.custom.Span|value"
    )
    assert record.text == "Anna left"


@pytest.mark.parametrize("folder", ["annotation", "curation"])
def test_the_place_in_a_project_tells_document_and_annotator(write, folder):
    path = write(ANNA)
    for name, expected in {
        f"{folder}/one.txt/ann.tsv": ("one.txt", "ann", "accepted"),
        f"{folder}/one.txt/INITIAL_CAS.tsv": ("one.txt", "INITIAL_CAS", "not annotated"),
        f"{folder}/doc.tsv": ("doc", "", "accepted"),
    }.items():
        (record,) = webanno.read(path, ReaderOptions(), FileLog(name))
        assert (record.document, record.annotator, record.answer) == expected


def test_the_older_versions_stand_in_projects_too(write_old):
    path = write_old("# id=1\n#text=Anna\n1\tAnna\t_\t_\t_\t_\n")
    (record,) = webanno.read(path, ReaderOptions(), FileLog("annotation/one.txt/ann.tsv"))
    assert (record.document, record.annotator) == ("one.txt", "ann")
