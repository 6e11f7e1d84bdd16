"""A small guide, and clients of the server in `llm_server`, for the tests of the room."""

from contextlib import contextmanager

from domain_ner.guide.schema import Guide
from domain_ner.llm.budget import Budget
from domain_ner.llm.cache import Cache
from domain_ner.llm.client import Client, Endpoint
from domain_ner.llm.endpoints import chat_url
from domain_ner.llm.extracting import Extractor
from domain_ner.llm.questions import Question
from domain_ner.llm.retrying import Retries

GUIDE = Guide.model_validate({
    "title": "Systems",
    "types": [
        {"label": "SERVICE", "definition": "A program.", "rules": {"must_take_after": ["service"]}},
        {"label": "INFRA", "definition": "What is operated.", "examples": ["[Redis](INFRA) is down."]},
        {
            "label": "TEAM", "definition": "A group.",
            "rules": {"may_share_surface_with": ["SERVICE"], "max_tokens": 4},
            "edge_cases": [{"text": "Ask [Billing](TEAM) of Billing.", "why": "Only the group."}],
        },
        {"label": "ENDPOINT", "definition": "A route.", "rules": {"must_match": ["^/"]}},
    ],
    "not_entities": [{"surfaces": ["kubectl"], "why": "A tool."}],
})  # fmt: skip
NAMES = {"Redis": "INFRA", "Payments squad": "TEAM", "checkout-api": "SERVICE"}
TEXT = "The Payments squad moved Redis behind checkout-api."
QUICK = Retries(n=3, first_s=0.001, longest_s=0.01, max_wait_s=5.0)


@contextmanager
def client_of(url, *, cache=None, budget=None, retries=QUICK, key="", n=8, timeout_s=5.0):
    endpoint = Endpoint(chat_url(url), "model-a", key, timeout_s, retries=retries)
    with Cache(cache) as opened, Client(endpoint, opened, budget or Budget(), n_connections=n) as client:
        yield client


def question(text=TEXT):
    """A question for the server: it answers the second message."""
    return Question([{"role": "system", "content": "s"}, {"role": "user", "content": text}], 100, schema={"a": 1})


def extractor_of(client, **sampling):
    from domain_ner.llm.extracting import Sampling

    return Extractor(client, GUIDE, "model-a", Sampling(**sampling))
