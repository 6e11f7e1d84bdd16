"""Decodes untrusted text, XML and HTML, with limits; knows no format."""
