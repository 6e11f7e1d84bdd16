"""The parts of annotation_servers.py, queue_servers.py and label_studio_backend.py."""
