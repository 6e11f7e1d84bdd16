"""Renders results as pages and files that people read.

Computes only what concerns display.
Public: `evaluation_page` (`evaluation_page`), `comparison_page` (`comparison_page`), `guide_page` (`guide_page`),
`inspect_page` (`inspect_page`), `monitor_page` (`monitor_page`), `parity_page` (`parity_page`),
`model_card` (`model_card`), `entities_html` (`entities`).
"""
