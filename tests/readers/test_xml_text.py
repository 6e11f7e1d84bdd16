import pytest

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.readers.text_files import xml_text
from domain_ner.readers.text_files.xml_text import XmlError, find_root, open_xml, read_elements

ROWS = "<rows>\n<row>Anna</row>\n<row>Äther</row>\n</rows>"


@pytest.fixture
def write(tmp_path):
    def write_bytes(content):
        path = tmp_path / "some.xml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_bytes


def texts(path):
    log = FileLog(path.name)
    return [element.text for element in read_elements(path, "row", log)], log.notes


@pytest.mark.parametrize(
    "text",
    [
        "<rows a='1'>", "\ufeff<rows>", " \n<rows/>", "<?xml version='1.0'?><rows>", "<!-- <a> --><!--b-->\n<rows>",
        '<?xml version="1.0"?>\n<!DOCTYPE rows SYSTEM "rows.dtd">\n<?xml-stylesheet href="a"?><rows>', "<x:rows>",
        '<!DOCTYPE rows [ <!ENTITY a "b"> ]><rows>',
    ],
)  # fmt: skip
def test_the_root_is_found_behind_whatever_stands_before_it(text):
    assert find_root(text).name == "rows"


@pytest.mark.parametrize("text", ["", "rows", "a <rows>", "{}", "< rows>", "<!-- never closed <rows>", "<"])
def test_what_does_not_begin_like_xml_has_no_root(text):
    assert find_root(text) is None


def test_elements_are_read_with_their_lines(write):
    path = write('<?xml version="1.0"?>\r\n<!DOCTYPE rows SYSTEM "rows.dtd">\n' + ROWS)
    lines = [element.sourceline for element in read_elements(path, "row", FileLog("a"))]
    assert (texts(path)[0], lines) == (["Anna", "Äther"], [4, 5])


def test_a_document_type_declaration_that_declares_anything_is_refused(write):
    path = write('<!DOCTYPE rows [ <!ENTITY name "Anna"> ]><rows><row>&name;</row></rows>')
    with pytest.raises(DomainNerError, match=r"(?s)some.xml has a document type declaration.*Remove the declaration"):
        texts(path)


def test_one_that_names_its_dtd_is_not_loaded_and_its_entities_are_not_known(write, tmp_path):
    (tmp_path / "rows.dtd").write_text('<!ENTITY name "Anna">')
    path = write('<!DOCTYPE rows SYSTEM "rows.dtd"><rows><row>Bob</row><row>&name;</row></rows>')
    found = []
    with pytest.raises(XmlError, match="Entity 'name' not defined"):
        found.extend(element.text for element in read_elements(path, "row", FileLog("a")))


def test_a_declaration_behind_the_root_is_no_xml(write):
    with pytest.raises(XmlError):
        texts(write('<rows><!DOCTYPE rows [ <!ENTITY name "Anna"> ]><row>&name;</row></rows>'))


def test_what_stands_before_the_break_is_read(write):
    found = []
    with pytest.raises(XmlError) as caught:
        found.extend(element.text for element in read_elements(write(ROWS[:-9]), "row", FileLog("a")))
    assert (found, caught.value.line) == (["Anna"], 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_told_by_its_bytes_whatever_is_declared(write, encoding):
    assert texts(write(f'<?xml version="1.0" encoding="ISO-8859-1"?>{ROWS}'.encode(encoding)))[0] == ["Anna", "Äther"]


def test_the_declared_encoding_counts_where_it_is_not_unicode(write):
    found, notes = texts(write('<?xml version="1.0" encoding="KOI8-R"?><rows><row>Анна</row></rows>'.encode("koi8-r")))
    assert (found, notes) == (["Анна"], ["not UTF-8: read as KOI8-R, as it declares"])


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="x-nobody"?>', "<?xml version='1.0'?>"])
def test_without_a_good_one_the_encoding_is_found_out(write, declared):
    assert texts(write(f"{declared}{ROWS}".encode("cp1252")))[0] == ["Anna", "Äther"]


def test_what_is_no_xml_is_an_error(write):
    with pytest.raises(DomainNerError, match="is not XML"), open_xml(write("no element"), FileLog("a")):
        pass


def test_a_long_file_is_read_in_parts(write, monkeypatch):
    monkeypatch.setattr(xml_text, "SAMPLE_CHARS", 40)
    rows = [f"name {n} 😀" for n in range(2000)]
    path = write("<rows>" + "".join(f"<row>{row}</row>" for row in rows) + "</rows>")
    assert texts(path)[0] == rows
