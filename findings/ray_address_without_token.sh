#!/usr/bin/env bash
# Ray 2.60 turns its token authentication on by itself, and then a driver that names the cluster's address is refused.
# The first `ray.init()` on a machine writes a token to ~/.ray/auth_token. From then on `ray start --head` asks for a
# token, because there is one. A driver with `ray.init(address="auto")` sends it; one with `ray.init(address="HOST:PORT")`,
# the same cluster, the same user, the same file, does not, and ends with "Failed to connect to Ray cluster" after some 20
# seconds. It sends the token once RAY_AUTH_MODE=token is set.
set -euo pipefail
room=$(mktemp -d)
export HOME="$room" RAY_USAGE_STATS_ENABLED=0
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_AUTH_TOKEN_PATH
trap '"$room/venv/bin/ray" stop --force > /dev/null 2>&1 || true; rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet ray==2.60.0
python="$room/venv/bin/python"
port=6391
cluster() { "$room/venv/bin/ray" start --head --port "$port" --num-cpus 1 --include-dashboard=false > "$room/start.log" 2>&1; }
stop() { "$room/venv/bin/ray" stop --force > /dev/null 2>&1; sleep 3; }
driver() { # the address; prints whether it is let in
    "$python" - "$1" 2> /dev/null <<'PYTHON' || echo refused
import sys

import ray

ray.init(address=sys.argv[1], logging_level="ERROR")
print("connected")
PYTHON
}

"$python" -c "from importlib.metadata import version; print('ray', version('ray'))"
cluster
before=$(driver "127.0.0.1:$port")
stop
"$python" -c "import ray; ray.init(num_cpus=1, include_dashboard=False, logging_level='ERROR')" > /dev/null 2>&1
test -f "$room/.ray/auth_token" && echo "a local ray.init() wrote ~/.ray/auth_token"
cluster
by_address=$(driver "127.0.0.1:$port")
auto=$(driver auto)
told=$(RAY_AUTH_MODE=token driver "127.0.0.1:$port")
stop
echo "before there was a token, by address: $before"
echo "with the token, by address: $by_address; by auto: $auto; by address with RAY_AUTH_MODE=token: $told"
[ "$before $by_address $auto $told" = "connected refused connected connected" ]
