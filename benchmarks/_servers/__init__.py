"""The parts of annotation_servers.py."""
