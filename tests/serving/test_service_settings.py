"""Settings of the service come from the environment, whole or not at all."""

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.serving.settings import ServiceSettings


def test_the_environment_holds_all_settings():
    given = {
        "PIPELINE": "p",
        "PORT": "9",
        "API_KEYS": "a, b",
        "ALLOWED_HOSTS": "x",
        "MAX_WAIT_MS": "2.5",
        "WORKERS": "0",
    }
    expected = ServiceSettings("p", port=9, api_keys=("a", "b"), allowed_hosts=("x",), max_wait_ms=2.5, workers=0)
    assert ServiceSettings.from_environment({f"DOMAIN_NER_{name}": value for name, value in given.items()}) == expected
    assert ServiceSettings.from_environment({"DOMAIN_NER_PIPELINE": "p", "DOMAIN_NER_PORT": ""}) == ServiceSettings("p")


def test_keys_are_not_shown():
    assert "secret" not in repr(ServiceSettings("p", api_keys=("secret",)))


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "DOMAIN_NER_PIPELINE is not set"),
        ({"DOMAIN_NER_PIPELINE": "p", "DOMAIN_NER_PORT": "http"}, "DOMAIN_NER_PORT is 'http'; expected a whole number"),
        ({"DOMAIN_NER_PIPELINE": "p", "DOMAIN_NER_PORT": "70000"}, "port is 70000; expected 0 to 65535"),
        ({"DOMAIN_NER_PIPELINE": "p", "DOMAIN_NER_API_KEYS": " , "}, "DOMAIN_NER_API_KEYS is set, but holds nothing"),
        ({"DOMAIN_NER_PIPELINE": "p", "DOMAIN_NER_MAX_TEXTS": "0"}, "max_texts is 0; expected 1 or more"),
        ({"DOMAIN_NER_PIPELINE": "p", "DOMAIN_NER_TIMEOUT_S": "nan"}, "timeout_s is nan; expected 0 or more"),
    ],
)
def test_a_wrong_value_is_named(environment, message):
    with pytest.raises(DomainNerError, match=message):
        ServiceSettings.from_environment(environment)
