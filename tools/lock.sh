#!/bin/sh
# Write requirements.lock: a fresh environment with what pyproject.toml asks for, frozen. Names no index.
set -eu
python=${1:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder"
"$folder/bin/python" - pyproject.toml > "$folder/wanted" <<'PY'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))
print("\n".join(project["project"]["dependencies"] + project["dependency-groups"]["dev"]))
PY
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$folder/wanted"
{
    echo "# The development environment, pinned. Written by 'make lock'; the project itself is installed beside it."
    "$folder/bin/python" -m pip freeze --disable-pip-version-check
} > requirements.lock
