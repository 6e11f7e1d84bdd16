"""Stub to be replaced."""

from domain_ner.evaluation.parity_schema import Parity


def parity_page(parity: Parity) -> str:
    return "<!doctype html>"
