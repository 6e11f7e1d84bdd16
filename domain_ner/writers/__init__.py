"""Writes annotations for annotation tools and other trainers, one module per format.

Public: `export` (`formats`), `WriterOptions` (`options`), `write_queue` (`queues`).
"""
