"""Label Studio's ML backend protocol, as its own client sends it."""

import pytest
from served import TEXT, recogniser, running

from domain_ner.serving.found import Entity, Found
from domain_ner.serving.label_studio import ConfigError, controls_of, predictions, task_texts

CONFIG = """<View>
  <Labels name="label" toName="text"><Label value="TEAM"/><Label value="INFRA" alias="infra"/></Labels>
  <Text name="text" value="$text"/>
</View>"""
TWO = """<View>
  <!-- two texts, three tags -->
  <Labels name="people" toName="title"><Label value="TEAM"/></Labels>
  <Labels name="things" toName="title"><Label value="INFRA"/></Labels>
  <Labels name="any" toName="body"/>
  <Choices name="kind" toName="body"><Choice value="INFRA"/></Choices>
  <Text name="title" value="$meta.title"/>
  <Text name="body" value="$body"/>
</View>"""


def regions(prediction):
    return [
        (row["from_name"], row["to_name"], row["value"]["text"], row["value"]["labels"]) for row in prediction["result"]
    ]


def predict(config, tasks, entities):
    texts = task_texts(tasks, controls_of(config))
    found = [Found(tuple(one for one in entities if text.text[one.start : one.end] in text.text)) for text in texts]
    return predictions(len(tasks), texts, found, "en_x 1")


def test_each_tag_gets_the_entities_whose_label_it_has():
    tasks = [{"id": 1, "data": {"meta": {"title": "Redis Ops"}, "body": "Redis Ops"}}]
    entities = [Entity(0, 5, "INFRA", 0.9), Entity(6, 9, "TEAM", 0.6), Entity(0, 9, "OTHER", 0.5)]
    (prediction,) = predict(TWO, tasks, entities)
    assert regions(prediction) == [
        ("things", "title", "Redis", ["INFRA"]),
        ("people", "title", "Ops", ["TEAM"]),
        ("any", "body", "Redis", ["INFRA"]),
        ("any", "body", "Ops", ["TEAM"]),
        ("any", "body", "Redis Ops", ["OTHER"]),
    ]
    assert len({row["id"] for row in prediction["result"]}) == 5


def test_an_alias_is_the_name_and_a_label_that_is_not_there_is_left_out():
    entities = [Entity(0, 5, "INFRA", 0.9), Entity(6, 9, "LIBRARY", 0.6)]
    (prediction,) = predict(CONFIG, [{"data": {"text": "Redis Ops"}}], entities)
    assert regions(prediction) == [("label", "text", "Redis", ["infra"])] and prediction["score"] == 0.9


def test_the_score_is_the_least_confidence_and_missing_where_there_is_none():
    tasks = [{"data": {"text": "Redis Ops"}}, {"data": {"text": ""}}, {"data": {"other": 1}}, {}, None]
    entities = [Entity(0, 5, "INFRA", 0.9), Entity(6, 9, "TEAM", 0.6)]
    texts = task_texts(tasks, controls_of(CONFIG))
    answers = predictions(5, texts, [Found(tuple(entities)), Found()], "v")
    assert [answer.get("score") for answer in answers] == [0.6, None, None, None, None]
    assert [len(answer["result"]) for answer in answers] == [2, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "config",
    [
        "", "<View", "<View/>", '<View><Text name="text" value="$text"/></View>',
        '<View><Labels name="a" toName="b"/><Text name="text" value="$text"/></View>',
        '<View><Labels name="a" toName="text"/><Text name="text" value="$url" valueType="url"/></View>',
        '<!DOCTYPE x [<!ENTITY a "b">]><View/>',
    ],
)  # fmt: skip
def test_a_config_without_a_place_for_entities_is_refused(config):
    with pytest.raises(ConfigError):
        controls_of(config)


def test_the_protocol_from_setup_to_prediction(tmp_path):
    with running(recogniser(tmp_path / "pipeline"), max_texts=5) as served:
        many = {"tasks": [{"data": {"text": "x"}}] * 6, "label_config": CONFIG}
        assert served.call("POST", "/predict", many).status == 413
        assert served.call("GET", "/health").json["status"] == "UP"
        setup = served.call("POST", "/setup", {"project": "1.2", "schema": CONFIG, "hostname": "", "access_token": "x"})
        version = setup.json["model_version"]
        assert version.startswith("en_served 1.2.0") and served.call("GET", "/versions").json == {"versions": [version]}
        tasks = [{"id": 7, "data": {"text": f"\U0001f600 {TEXT}"}}, {"id": 8, "data": {"text": "fine"}}]
        asked = {"tasks": tasks, "project": "1.2", "label_config": CONFIG, "params": {"context": None}}
        answer = served.call("POST", "/predict", asked).json
        first, second = answer["results"]
        assert regions(first) == [("label", "text", "Redis", ["infra"]), ("label", "text", "Kafka", ["infra"])]
        assert first["result"][0]["value"]["start"] == 26 and second["result"] == []
        assert answer["model_version"] == first["model_version"] == version
        assert served.call("POST", "/webhook", {"action": "ANNOTATION_CREATED"}).status == 200
        for wrong in [{}, {"tasks": {}, "label_config": CONFIG}, {"tasks": [], "label_config": "<View/>"}]:
            assert served.call("POST", "/predict", wrong).status == 422
        assert served.call("POST", "/setup", {"schema": "<View/>"}).status == 422
