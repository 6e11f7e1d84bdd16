import pytest
import spacy

from domain_ner.errors import DomainNerError
from domain_ner.training.freezing import create_unfreeze, frozen_layers


def test_all_at_once():
    frozen = [frozen_layers(epoch, layers=3, epochs=2, one_by_one=False) for epoch in range(4)]
    assert frozen == [3, 3, 0, 0]


def test_one_by_one():
    frozen = [frozen_layers(epoch, layers=3, epochs=2, one_by_one=True) for epoch in range(6)]
    assert frozen == [3, 3, 2, 1, 0, 0]


def test_a_pipeline_without_an_encoder_is_told():
    with pytest.raises(DomainNerError, match="the pipeline has no domain_ner.TransformerModel"):
        create_unfreeze(1, 1, False, False)(spacy.blank("en"), {"step": 0, "epoch": 0})


@pytest.mark.parametrize(("layers", "epochs"), [(-1, 1), (1, -1)])
def test_negative_numbers_are_refused(layers, epochs):
    with pytest.raises(DomainNerError, match="expected 0 or more"):
        create_unfreeze(layers, epochs, False, False)
