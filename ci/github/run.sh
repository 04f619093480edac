#!/usr/bin/env bash
# One step of a GitHub job. What to do comes by the environment; see action.yml.
set -euo pipefail

case "$SIGCAST_COMMAND" in
  build | check)
    args=(build --config="$SIGCAST_CONFIG")
    if [ "$SIGCAST_COMMAND" = check ]; then args+=(--check); fi
    if [ -n "$SIGCAST_BASELINE" ]; then args+=(--baseline="$SIGCAST_BASELINE"); fi
    sigcast "${args[@]}"
    ;;
  diff)
    if [ -z "$SIGCAST_BASE" ]; then
      echo "diff needs a base: the input \`base\`, or a pull request" >&2
      exit 2
    fi
    # A revision: neither an option of git, nor a refspec, which would write to a branch.
    case "$SIGCAST_BASE" in
      -* | +* | *:*)
        echo "the base \`$SIGCAST_BASE\` is no revision" >&2
        exit 2
        ;;
    esac
    # A shallow checkout does not have the base.
    git rev-parse --verify --quiet --end-of-options "$SIGCAST_BASE^{commit}" >/dev/null ||
      git fetch --quiet --depth=1 --end-of-options origin "$SIGCAST_BASE"
    report="${RUNNER_TEMP:-/tmp}/sigcast-diff.md"
    args=(diff --config="$SIGCAST_CONFIG" --base="$SIGCAST_BASE" --format markdown)
    if [ -n "$SIGCAST_FAIL_ON" ]; then args+=(--fail-on="$SIGCAST_FAIL_ON"); fi
    status=0
    sigcast "${args[@]}" >"$report" || status=$?
    cat "$report" >>"$GITHUB_STEP_SUMMARY"
    echo "report=$report" >>"$GITHUB_OUTPUT"
    exit "$status"
    ;;
  test)
    read -r -a paths <<<"$SIGCAST_PATHS"
    sigcast test -- "${paths[@]}"
    ;;
  *)
    echo "unknown command \`$SIGCAST_COMMAND\`: build, check, diff or test is expected" >&2
    exit 2
    ;;
esac
