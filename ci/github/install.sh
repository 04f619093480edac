#!/usr/bin/env bash
# Puts `sigcast` on the path of a GitHub job: the one that is there, else the program of a release, by its checksum.
set -euo pipefail

if command -v sigcast >/dev/null; then
  echo "$(sigcast --version) is there already"
  exit 0
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64) target=aarch64-unknown-linux-musl ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  MINGW*-x86_64 | MSYS*-x86_64) target=x86_64-pc-windows-msvc ;;
  *)
    echo "no release has a program for $(uname -s) on $(uname -m)" >&2
    exit 1
    ;;
esac

folder="$RUNNER_TEMP/sigcast"
mkdir -p "$folder"
archive="sigcast-$target.tar.gz"
tag=()
if [ "$SIGCAST_VERSION" != latest ]; then
  tag=("$SIGCAST_VERSION")
fi
gh release download ${tag[@]+"${tag[@]}"} --repo "$SIGCAST_REPOSITORY" --dir "$folder" --clobber \
  --pattern "$archive" --pattern SHA256SUMS
cd "$folder"
wanted="$(grep -E "^[0-9a-f]{64}  $archive\$" SHA256SUMS)"
if command -v sha256sum >/dev/null; then
  echo "$wanted" | sha256sum --check -
else
  echo "$wanted" | shasum -a 256 --check -
fi
tar -xzf "$archive"
echo "$folder" >>"$GITHUB_PATH"
./sigcast --version
