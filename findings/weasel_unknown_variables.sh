#!/usr/bin/env bash
# `spacy project run COMMAND --vars.NAME VALUE` accepts a NAME that project.yml does not have. A misspelt one (`encodr` for
# `encoder`) is added to the variables in silence, exit code 0: the command runs with the value of project.yml, and the
# result (a training of hours, a scored test set) is that of other settings than asked for.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18 weasel==1.0.1
mkdir "$room/project"
cat > "$room/project/project.yml" <<'YAML'
title: "Two variables"
vars:
  encoder: "small"
  epochs: 8
commands:
  - name: train
    help: "Show the settings"
    script: ["python -c \"print('trained', '${vars.encoder}', ${vars.epochs})\""]
YAML
"$room/venv/bin/python" -c "from importlib.metadata import version as v; print('spacy', v('spacy'), 'weasel', v('weasel'))"
right=$("$room/venv/bin/python" -m spacy project run train "$room/project" --vars.encoder large | tail -n 1)
echo "--vars.encoder large: $right"
code=0
wrong=$("$room/venv/bin/python" -m spacy project run train "$room/project" --vars.encodr large 2>&1) || code=$?
echo "--vars.encodr large:  $(tail -n 1 <<< "$wrong"), exit code $code"
[ "$right" = "trained large 8" ]
[ "$code" = 0 ]
[ "$(tail -n 1 <<< "$wrong")" = "trained small 8" ]
if grep -q "encodr" <<< "$wrong"; then exit 1; fi
