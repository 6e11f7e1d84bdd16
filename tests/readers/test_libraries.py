import pytest

from domain_ner.errors import DomainNerError
from domain_ner.readers.text_files.libraries import library


def test_a_library_is_imported():
    assert library("lxml.etree").iterparse


def test_a_missing_library_is_an_error_that_names_it():
    with pytest.raises(DomainNerError, match=r"(?s)the Python package no_such_package, .*pip install -r"):
        library("no_such_package.part")
