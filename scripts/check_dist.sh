#!/bin/sh
# Checks what `make dist` built: sh scripts/check_dist.sh 0.2.0
# The packages have this version, install beside each other, and start; CHANGELOG.md tells of it in dist/NOTES.md.
set -eu

version=$1
for package in tap_suite tap_suite_sandbox tap_suite_runner target_duckdb_exact; do
  test -f "dist/$package-$version-py3-none-any.whl" || { echo "$package is not of version $version: $(ls dist)" >&2; exit 1; }
done
(cd dist && sha256sum --check --quiet SHA256SUMS)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --constraint requirements.txt dist/*.whl
for tap in billing events promotions rewards scheduling; do
  "$folder/bin/tap-$tap" --version
done
"$folder/bin/target-duckdb-exact" --version
"$folder/bin/api-sandbox" --help >"$folder/help"
"$folder/bin/tap-suite" --help >"$folder/help"

awk -v title="## [$version]" '/^## /{on = index($0, title) == 1; next} on' CHANGELOG.md >dist/NOTES.md
grep -q . dist/NOTES.md || { echo "CHANGELOG.md has no section $version" >&2; exit 1; }
