#!/usr/bin/env bash
# Installs, builds and starts a cluster on this machine, in the foreground: four replicas, n1 to n4, on ports 5000 to
# 5003, each logging to out5000 … out5003. Ctrl-C stops them all.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<TEXT
Usage: ./run.sh [options]
  --replicas N   how many replicas, 1 to 16 (default 4)
  --port P       port of the first one; the others follow (default 5000)
  --data DIR     where they keep their data (default ./data)
  --fresh        begin with empty databases: deletes the data of these replicas
TEXT
}

die() {
  echo "run.sh: $*" >&2
  exit 2
}

replicas=4 port=5000 data=./data fresh=false
while [ $# -gt 0 ]; do
  case $1 in
    --replicas) replicas=${2-} && shift ;;
    --port) port=${2-} && shift ;;
    --data) data=${2-} && shift ;;
    --fresh) fresh=true ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && die "$1 is not an option" ;;
  esac
  shift || die "an option lacks its value"
done
[[ $replicas =~ ^[0-9]{1,2}$ ]] && [ "$replicas" -ge 1 ] && [ "$replicas" -le 16 ] || die "--replicas must be 1 to 16"
[[ $port =~ ^[0-9]{1,5}$ ]] && [ "$port" -ge 1 ] && [ $((port + replicas - 1)) -le 65535 ] || die "--port must be a port number"
[ -n "$data" ] || die "--data must name a folder"

command -v setsid > /dev/null || die "setsid is needed, of util-linux: run.sh is for Linux; elsewhere use docker compose up"
command -v node > /dev/null || die "Node 20.19 or later is needed, and npm; install them first"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  die "Node 20.19 or later is needed; this is $(node --version)"

# Whoever answers on one of the ports would be taken for a replica of ours.
for ((i = 0; i < replicas; i++)); do
  if (exec 3<> "/dev/tcp/127.0.0.1/$((port + i))") 2> /dev/null; then
    die "port $((port + i)) is taken: is a cluster running already? Stop it, or choose others with --port"
  fi
done

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  # npm would empty the folder that it leads to.
  [ ! -L node_modules ] || die "node_modules is a link: remove it first, then packages can be installed here"
  echo "Installing packages…"
  npm ci --no-fund --no-audit
fi
mkdir -p "$data"
# Only where all is to be deleted: a replica looks at its database itself, and changes nothing of one that is damaged or in use.
for ((i = 1; i <= replicas; i++)); do
  "$fresh" && [ -d "$data/n$i" ] || continue
  [ ! -d "$data/n$i/level" ] || node -e 'import("classic-level").then(async ({ ClassicLevel }) => {
    const level = new ClassicLevel(process.argv[1], { createIfMissing: false });
    await level.open().catch((error) => process.exit(error.cause?.code === "LEVEL_LOCKED" ? 1 : 0));
    await level.close();
  })' "$data/n$i/level" || die "$data/n$i is in use by a running replica: stop it, or choose another folder with --data"
  rm -rf "${data:?}/n$i"
done

echo "Building…"
npm run --silent build

# Replicas show it to each other, and their tokens are sealed with it; it stays with the data.
secret=$data/cluster-secret
[ -s "$secret" ] || (umask 077 && node -p 'crypto.randomUUID()' > "$secret")

pids=()
stop() {
  trap '' INT TERM
  [ ${#pids[@]} -gt 0 ] && kill -TERM "${pids[@]}" 2> /dev/null
  wait
  echo "All replicas have stopped; their data stays in $data."
}
trap 'echo; stop; exit 0' INT TERM

peers=
for ((i = 0; i < replicas; i++)); do peers+="n$((i + 1))=http://127.0.0.1:$((port + i)),"; done

# As npm start, without npm in between: the signal reaches the replica itself.
start=(node --enable-source-maps --max-semi-space-size=32 --no-allocation-site-pretenuring --heap-growing-percent=200 --no-memory-reducer dist/main.js)

for ((i = 0; i < replicas; i++)); do
  name=n$((i + 1))
  QUARTET_NAME=$name QUARTET_PORT=$((port + i)) QUARTET_DATA=$data/$name QUARTET_PEERS=$peers \
    QUARTET_CLUSTER_SECRET_FILE=$secret setsid "${start[@]}" > "out$((port + i))" 2>&1 &
  pids+=($!)
done

# Says what keeps the replica at a port from being ready; nothing while it does not answer.
ready() {
  node -e "fetch('http://127.0.0.1:$1/readyz?verbose').then(async (r) => {
    console.log((await r.text()).split('\n').filter((line) => line.startsWith('[-]')).join('; '));
    process.exit(r.ok ? 0 : 1);
  }).catch(() => process.exit(1))"
}

for ((i = 0; i < replicas; i++)); do
  tries=0 told=
  until why=$(ready $((port + i))); do
    if ! kill -0 "${pids[i]}" 2> /dev/null; then
      echo "n$((i + 1)) did not start; out$((port + i)) says:" >&2
      tail -n 5 "out$((port + i))" >&2
      stop >&2
      exit 1
    fi
    # Catching up takes a while; a member that was removed waits for its operator.
    if [ $((++tries)) -ge 20 ] && [ -n "$why" ] && [ "$why" != "$told" ]; then
      echo "n$((i + 1)) is not ready yet: $why"
      told=$why
    fi
    sleep 0.1
  done
  kill -0 "${pids[i]}" 2> /dev/null || { stop >&2; die "n$((i + 1)) has stopped; see out$((port + i))"; }
done

last=$((port + replicas - 1))
cat <<TEXT

$replicas replicas are ready: http://127.0.0.1:$port to :$last, logs in out$port to out$last. Try, in another terminal:

  curl -X PUT 'http://127.0.0.1:$port/v1/kv/greeting?w=all' -H 'Content-Type: text/plain' -d hello
  curl         http://127.0.0.1:$last/v1/kv/greeting
  curl         http://127.0.0.1:$last/v1/cluster

The whole interface: http://127.0.0.1:$port/docs. Ctrl-C stops all replicas.
TEXT

# Started with fewer than before, a cluster still counts on those that are left out.
names=()
for ((i = 1; i <= replicas; i++)); do names+=("n$i"); done
away=$(node -e "fetch('http://127.0.0.1:$port/v1/cluster').then((r) => r.json()).then(({ members }) =>
  console.log(members.filter((name) => !process.argv.includes(name)).join(' ')))" "${names[@]}" 2> /dev/null) || true
for name in $away; do
  echo "$name is still a member, so ?w=all waits for it in vain (202). Once forgotten, what only it has is lost: start it once more"
  echo "beside the others, until lagDots of every peer is 0 in its own /v1/cluster. To forget it:"
  echo "  curl -f -X DELETE http://127.0.0.1:$port/v1/cluster/members/$name"
done

# A replica that ends is reported; the others go on, as they would without it.
while [ ${#pids[@]} -gt 0 ]; do
  sleep 1 &
  wait $! || true
  for i in "${!pids[@]}"; do
    if kill -0 "${pids[i]}" 2> /dev/null; then continue; fi
    status=0
    wait "${pids[i]}" || status=$?
    echo "n$((i + 1)) has stopped (status $status, see out$((port + i))); the others go on. To start it again, and stop it yourself:"
    echo "  QUARTET_NAME=n$((i + 1)) QUARTET_PORT=$((port + i)) QUARTET_DATA=$data/n$((i + 1)) \\"
    echo "    QUARTET_CLUSTER_SECRET_FILE=$secret QUARTET_PEERS=${peers%,} npm start"
    unset "pids[i]"
  done
done
echo "No replica that run.sh started is left." >&2
exit 1
