#!/usr/bin/env bash
# Packs a built program with its licence: ci/pack.sh FOLDER TARGET makes sigcast-TARGET.tar.gz.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: ci/pack.sh FOLDER TARGET" >&2; exit 2; }
root="$(cd "$(dirname "$0")/.." && pwd)"
program=sigcast
if [ -f "$1/sigcast.exe" ]; then program=sigcast.exe; fi
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cp "$1/$program" "$root/LICENSE" "$root/README.md" "$folder/"
tar -czf "sigcast-$2.tar.gz" -C "$folder" "$program" LICENSE README.md
