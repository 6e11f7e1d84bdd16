"""Annotates any number of documents with a finished pipeline: in shards, in several processes, resumable.

Each shard of the input becomes one file of the output, whole or not at all. A run that was killed goes on where it was.
Public: `annotate` (`run`), `find_sources` (`sources`), `plan_shards` (`shards`), `read_shard` (`reading`),
`read_documents` (`documents`), `annotate_shard` (`worker`), `Settings`, `ShardResult` (`jobs`).
"""
