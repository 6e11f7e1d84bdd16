#!/usr/bin/env bash
# The chat server of transformers (`transformers serve`) streams its answer though the request says "stream": false, and
# its answer never says how many tokens it took. Who reads one JSON object finds server-sent events instead, and a budget
# by the `usage` of the answers counts nothing.
set -euo pipefail
room=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet torch==2.13.0 "transformers[serving]==4.57.3"
export HF_HUB_OFFLINE=1 HF_HOME="$room/cache"
"$room/venv/bin/python" - "$room/model" <<'PYTHON' 2> "$room/log" || { tail -n 20 "$room/log"; exit 1; }
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

plain = Tokenizer(models.BPE())
plain.pre_tokenizer, plain.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
trainer = trainers.BpeTrainer(special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
plain.train_from_iterator(["Name the cities of this text."], trainer)
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=plain, bos_token="<s>", eos_token="</s>", pad_token="</s>",
    model_input_names=["input_ids", "attention_mask"],
)
tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
tokenizer.save_pretrained(sys.argv[1])
config = LlamaConfig(
    vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, max_position_embeddings=512, bos_token_id=0, eos_token_id=1, pad_token_id=1,
)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
PYTHON
"$room/venv/bin/transformers" serve --host 127.0.0.1 --port 18761 > "$room/log" 2>&1 &
server=$!
"$room/venv/bin/python" - "$room/model" <<'PYTHON' || { tail -n 20 "$room/log"; exit 1; }
import json
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version

body = {
    "model": sys.argv[1], "stream": False, "max_tokens": 4,
    "messages": [{"role": "user", "content": "Name the cities of this text: Rome."}],
}
request = urllib.request.Request(
    "http://127.0.0.1:18761/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
)
for attempt in range(120):
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            kind, content = answer.headers["content-type"], answer.read().decode()
        break
    except (urllib.error.URLError, ConnectionError) as error:
        if isinstance(error, urllib.error.HTTPError):
            raise
        time.sleep(1)
else:
    raise SystemExit("the server did not start")
events = [json.loads(line[6:]) for line in content.splitlines() if line.startswith("data: {")]
print("transformers", version("transformers"))
print("asked for", {"stream": body["stream"]}, "- came:", kind, f"{len(events)} events")
print("usage of the last event:", events[-1].get("usage"))
assert kind.startswith("text/event-stream") and len(events) > 1, content
assert not any(event.get("usage") for event in events), content
PYTHON
