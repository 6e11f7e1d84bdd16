"""What the fallback reports keeps to the recogniser's thresholds, to its tokens, and to what is there already."""

import pytest
import spacy
from fallback_cases import GIVEN, GUIDE, NAMES
from llm_server import Behaviour, serving
from watched import trained

from domain_ner.errors import DomainNerError
from domain_ner.files import require_replaceable
from domain_ner.llm_fallback.adding import add
from domain_ner.training.saving import save, save_copy


@pytest.fixture
def guide(tmp_path):
    path = tmp_path / "guide.yml"
    path.write_text(GUIDE)
    return path


def loaded(tmp_path_factory, **settings):
    folder = trained(tmp_path_factory.getbasetemp() / "watched") / "model"
    return spacy.load(folder, config={"components": {"crf_ner": settings}})


def added(nlp, url, guide, **settings):
    return add(nlp, {"enabled": True, "url": url, "model": "m", "guide": str(guide), "retries": 0, **settings})


def test_a_type_needs_what_the_recogniser_needs_to_report_it(tmp_path_factory, guide):
    nlp = loaded(tmp_path_factory, min_confidence={"TEAM": 0.97})
    settings = added(nlp, "http://127.0.0.1:9", guide).settings
    assert (settings.threshold("TEAM"), settings.threshold("INFRA")) == (0.97, 0.5)
    nlp = loaded(tmp_path_factory, decoding="marginal", min_confidence={"TEAM": 0.3})
    assert added(nlp, "http://127.0.0.1:9", guide).settings.threshold("TEAM") == 0.3
    assert added(nlp, "http://127.0.0.1:9", guide, min_confidence=0.8).settings.threshold("TEAM") == 0.8


def test_no_answer_of_the_model_passes_a_threshold_that_was_promised(tmp_path_factory, guide):
    nlp = loaded(tmp_path_factory, min_confidence={"TEAM": 0.999, "INFRA": 0.999})
    with serving(Behaviour(NAMES)) as url:
        component = added(nlp, url, guide, everywhere=True)
        docs = list(nlp.pipe(text for text, _ in GIVEN))
        component.close()
    assert all(ent._.confidence >= 0.999 for doc in docs for ent in doc.ents)


def test_a_span_within_a_token_is_left_out_and_counted(tmp_path_factory, guide):
    nlp = loaded(tmp_path_factory)
    text = "zorvex.kafka was slow."
    assert nlp(text)[0].text == text.split(maxsplit=1)[0]
    with serving(Behaviour({"zorvex": "INFRA"})) as url:
        component = added(nlp, url, guide, everywhere=True)
        doc = nlp(text)
        component.close()
    assert all(ent._.source != "llm" for ent in doc.ents) and component.record()["outside"] == 1


def test_only_what_an_output_was_before_is_replaced(tmp_path):
    nlp = spacy.blank("en")
    mine = tmp_path / "notes" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    save(nlp, tmp_path / "nlp")
    for write in (
        lambda: save(nlp, mine.parent),
        lambda: save_copy(tmp_path / "nlp", mine.parent),
        lambda: save(nlp, mine),
    ):
        with pytest.raises(DomainNerError, match="expected a pipeline's folder"):
            write()
    assert mine.read_text() == "mine"
    save_copy(tmp_path / "nlp", tmp_path / "copy")
    save(nlp, tmp_path / "copy")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".gitkeep").touch()
    require_replaceable(tmp_path / "empty", "*.whl", "wheels")
    require_replaceable(tmp_path / "none", "*.whl", "wheels")
    with pytest.raises(DomainNerError, match="notes is a folder with something else; expected wheels"):
        require_replaceable(mine.parent, "*.whl", "wheels")
