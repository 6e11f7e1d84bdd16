"""Compares what a pipeline meets in production with what it was measured on, without labels and without text.

`observing` turns documents into numbers where they are predicted; `baseline` keeps those of the test set in the
package; `windows` and `metrics_text` read those of production; `judging` compares them; `report` has the format of the
result.
Public: `Observer` (`observing`), `Observation` (`observations`), `Vocabulary` (`vocabulary`), `Baseline` (`baseline`),
`build_baseline` (`building`), `read_window` (`windows`), `read_snapshots` (`metrics_text`), `monitor` (`judging`).
"""
