"""Exports the guide's types as settings of Label Studio and Prodigy."""

from typing import Any
from xml.etree import ElementTree

from domain_ner.guide.schema import Guide

PRODIGY_THEME = "custom_theme"


def label_studio_config(guide: Guide) -> str:
    """Make a labelling config (https://labelstud.io/tags/labels), each label with its colour and definition."""
    view = ElementTree.Element("View")
    labels = ElementTree.SubElement(view, "Labels", name="label", toName="text")
    for entity_type in guide.types:
        colour, hint = entity_type.colour, entity_type.definition
        ElementTree.SubElement(labels, "Label", value=entity_type.label, background=colour, hint=hint)
    ElementTree.SubElement(view, "Text", name="text", value="$text")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def prodigy_config(guide: Guide) -> dict[str, Any]:
    """Make settings for prodigy.json: the labels and their colours (https://prodi.gy/docs/install#config)."""
    return {"labels": guide.labels, PRODIGY_THEME: {"labels": guide.colours}}
