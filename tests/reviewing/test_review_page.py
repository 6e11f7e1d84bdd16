"""The page of a review: whole, safe whatever the labels hold, and usable in a real browser."""

import pytest

from domain_ner.reviewing.markdown import review_markdown
from domain_ner.reviewing.page import review_page
from domain_ner.reviewing.review_schema import ContractReview, Measure, Review, StratumReview, TypeReview

EVIL = '<b>A|B</b> & "<script>"'


def of_type(value=0.9, n_more=40):
    measure = Measure(value=value, low=0.8, high=0.95, n_more=n_more)
    return TypeReview(
        n_predicted=1234, n_reviewed=56, n_correct=50, n_gold=55, precision=measure, recall=measure, f1=measure
    )


def contract(*, bound, n_more):
    return ContractReview(
        contract="SERVICE precision >= 0.9", label="SERVICE", measure="precision", least=0.9, value=0.93, bound=bound,
        confidence=0.95, is_proven=bound >= 0.9, n_more=n_more,
    )  # fmt: skip


def review(**changed):
    given = {
        "pipeline": {"name": "en_rules", "version": "1.0.0", "sha256": "0" * 64, "domain_ner": "0.1.0"},
        "is_blind": True, "n_passages": 5000, "n_drawn": 200, "n_reviewed": 150, "n_after_gap": 7,
        "missing": [151, *range(159, 201)], "incomplete": [151], "level": 0.95, "width": 0.05, "overall": of_type(),
        "by_type": {"SERVICE": of_type(), EVIL: of_type(None, None)}, "confidence": 0.95, "is_joint": False,
        "contracts": [contract(bound=0.91, n_more=0), contract(bound=0.88, n_more=60)],
        "strata": [StratumReview(name="nothing found", n_passages=5000, n_drawn=200, n_reviewed=150)],
    }  # fmt: skip
    return Review(**given | changed)


def test_page_and_markdown_say_what_is_proven_and_when_to_stop():
    for text in (review_page(review()), review_markdown(review())):
        assert "150 passages of 5,000 were reviewed, blind" in text
        assert "About 60 more passages are needed to prove all contracts" in text
        assert "not proven" in text and "90.0 (80.0–95.0)" in text
        assert "7 reviewed tasks come after the first of these" in text
    assert "Not all contracts are proven" in review_page(review())
    enough = review(contracts=[contract(bound=0.91, n_more=0)])
    assert "✔ All contracts are proven." in review_page(enough) and "Stop: this is enough" in review_page(enough)


def test_without_contracts_the_intervals_over_all_types_decide_when_to_stop():
    text = review_markdown(review(contracts=[]))
    assert "About 40 more passages are needed for intervals of ±5.0 over all types" in text
    assert "Contracts" not in review_page(review(contracts=[]))
    assert "not foreseeable" in review_markdown(review(contracts=[], overall=of_type(n_more=None)))


def test_a_contract_whose_estimate_is_lower_is_called_unlikely():
    low = contract(bound=0.7, n_more=None).model_copy(update={"value": 0.8})
    assert "More passages will hardly prove SERVICE precision >= 0.9" in review_markdown(review(contracts=[low]))


def test_suggestions_are_said_to_bias_the_reviewers():
    assert "with suggestions, which make reviewers agree more" in review_markdown(review(is_blind=False))


def test_labels_are_shown_as_they_are():
    assert "<script>" not in review_page(review())
    assert "&lt;script&gt;" in review_page(review())


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "review.html"
    path.write_text(review_page(review()), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_the_page_is_as_wide_as_the_window(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
