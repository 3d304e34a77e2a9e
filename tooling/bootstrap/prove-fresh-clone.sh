#!/usr/bin/env bash
# Proves what a newcomer does: clone, `npm start` with an empty HOME, paste the printed curl line; stop; and once more. And what a
# service does: where root runs this, a third start as user nobody, who can write nothing but a DATA_DIR elsewhere.
# Usage: prove-fresh-clone.sh [mode of the clone's parent folder: 0755 (default), or 0700 as in a private home]
set -euo pipefail

mode=${1:-0755}
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
parent=$(mktemp -d)
chmod "$mode" "$parent"
clone=$parent/usage-stats
pid=
account=()
environment=(HOME="$parent/home")

finish() {
  status=$?
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do leftover >/dev/null || break; sleep 0.2; done
  rm -rf "$parent"
  [ $status -eq 0 ] || echo "fresh clone ($mode): FAILED" >&2
  exit $status
}
trap finish EXIT

fail() {
  echo "fresh clone ($mode): $1" >&2
  sed 's/^/  | /' "$parent/output" >&2
  exit 1
}

# Processes of this clone that still run, PostgreSQL among them; fails when there are none.
leftover() { ps -Aww -o pid=,stat=,command= | grep -F "$clone/" | grep -vE '^ *[0-9]+ Z|grep|prove-fresh-clone'; }

start_and_stop() {
  local port curl_line answer code=0 began=$SECONDS
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  (cd "$clone" && exec "${account[@]}" env -u npm_lifecycle_event -u INIT_CWD "${environment[@]}" PORT="$port" npm start) >"$parent/output" 2>&1 &
  pid=$!
  until curl -fsS "http://127.0.0.1:$port/ready" >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || fail "npm start ended by itself"
    [ $((SECONDS - began)) -lt 240 ] || fail "not ready after 240 s"
    sleep 0.2
  done
  echo "fresh clone ($mode), $1 start: ready after $((SECONDS - began)) s"
  until curl_line=$(grep -m 1 '^curl ' "$parent/output"); do
    [ $((SECONDS - began)) -lt 240 ] || fail "no line that begins with curl"
    sleep 0.2
  done
  answer=$(bash -c "$curl_line" 2>>"$parent/output") || fail "the printed curl line failed"
  node -e 'if (!("summary" in JSON.parse(process.argv[1]))) process.exit(1)' "$answer" || fail "no summary in: $answer"
  kill -TERM "$pid"
  wait "$pid" || code=$?
  pid=
  # 143: an npm that does not wait for its script. What counts then is that the server ends by itself.
  [ $code -eq 0 ] || [ $code -eq 143 ] || fail "ended with code $code after SIGTERM"
  for _ in $(seq 100); do leftover >/dev/null || break; sleep 0.2; done
  if leftover; then fail "the processes above are left after SIGTERM"; fi
  echo "fresh clone ($mode), $1 start: answered, and ended with code $code leaving nothing behind"
}

git clone --quiet "$source" "$clone"
mkdir "$parent/home"
start_and_stop first
start_and_stop second

# A folder of mode 0700 is closed to nobody.
if [ "$(id -u)" = 0 ] && [ "$mode" != 0700 ] && command -v setpriv >/dev/null; then
  mkdir "$parent/service"
  chown 65534:65534 "$parent/service"
  account=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  environment=(HOME=/nonexistent DATA_DIR="$parent/service/data")
  start_and_stop "nobody's"
else
  echo "fresh clone ($mode): not started as another user, which takes root, setpriv and an open folder" >&2
fi
