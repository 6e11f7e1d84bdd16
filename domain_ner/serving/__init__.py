"""Serves a pipeline over HTTP: an API, a page, metrics, and Label Studio's protocol.

`access` guards, counts and logs every request; `batching` joins the texts of all requests; `process` predicts in a
process of its own. Needs FastAPI, uvicorn and prometheus_client.
Public: `serve` (`run`), `create_app` (`app`), `ServiceSettings` (`settings`), `Service` (`service`),
`Batcher` (`batching`), `PredictorProcess` (`process`), `Metrics` (`metrics`), `predictions` (`label_studio`),
`Shadow` (`shadow`).
"""
