"""Standoff formats, with annotations beside the text: brat, BioC and PubTator."""
