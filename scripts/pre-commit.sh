#!/bin/sh
# Runs the linter from the clone that pre-commit keeps of this repository. It is made without dependencies, and npm packs what it installs
# from a repository without building it: so they are fetched once, and the program runs as it does in a checkout.
root=$(cd "$(dirname "$0")/.." && pwd) || exit
if [ ! -f "$root/node_modules/.package-lock.json" ]; then
  # In a repository that is committed to, git's variables name that one.
  (cd "$root" && env -u GIT_DIR -u GIT_INDEX_FILE npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund >&2) || exit
fi
exec node "$root/src/cli/verdigris.js" lint "$@"
