#!/usr/bin/env bash
# Builds LevelDB with its binding to Node, from the sources that classic-level brings and two patches, for every Linux that
# replicas run on. For developers: what it makes is in prebuilds/. Needs zig 0.17 (python3 -m pip install ziglang==0.17.1),
# whose compiler has the headers of all of them, and makes the same bytes everywhere.
#
#   engine/build.sh [FOLDER]      default: engine/prebuilds
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(realpath -m "${1:-engine/prebuilds}")
zig=${ZIG:-python3 -m ziglang}
[ "$($zig version)" = 0.17.1 ] || { echo "engine/build.sh: zig 0.17.1 is needed: python3 -m pip install ziglang==0.17.1" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r node_modules/classic-level/{binding.cc,deps} node_modules/napi-macros/napi-macros.h node_modules/node-api-headers/include "$work"
cd "$work"
leveldb=deps/leveldb/leveldb-1.20 snappy=deps/snappy
patch --quiet --directory "$leveldb" --strip 1 < "$OLDPWD/engine/leveldb.patch"
patch --quiet --strip 1 < "$OLDPWD/engine/binding.patch"

# As deps/leveldb/leveldb.gyp lists them, without the tests and what is for other systems.
sources=(binding.cc "$leveldb"/db/{builder,db_impl,db_iter,filename,dbformat,log_reader,log_writer,memtable,repair,table_cache}.cc
  "$leveldb"/db/{version_edit,version_set,write_batch}.cc "$leveldb"/port/port_posix.cc
  "$leveldb"/table/{block,block_builder,filter_block,format,iterator,merger,table,table_builder,two_level_iterator}.cc
  "$leveldb"/util/{arena,bloom,cache,coding,comparator,crc32c,env,env_posix,filter_policy,fingers,hash,logging,options,status}.cc
  "$snappy"/snappy/{snappy,snappy-sinksource,snappy-stubs-internal}.cc)
includes=(-I. -Iinclude -I"$leveldb" -I"$leveldb/include" -I"$leveldb/port" -I"$leveldb/util" -I"$snappy/linux" -I"$snappy/snappy")
defines=(-DNDEBUG -DSNAPPY=1 -DHAVE_CONFIG_H=1 -DOS_LINUX=1 -DLEVELDB_PLATFORM_POSIX=1 -DNODE_GYP_MODULE_NAME=classic_level)

build() {
  local target=$1 file=$out/$2 sse=()
  local flags=(-target "$target" -fPIC -O3 -std=c++17 -fno-exceptions -fno-rtti -fvisibility=hidden -w "${defines[@]}" "${includes[@]}")
  # Checksums by the processor, which is asked first whether it can.
  [[ $target != x86_64* ]] || sse=(-msse4.2 -DLEVELDB_PLATFORM_POSIX_SSE)
  mkdir -p "$(dirname "$file")"
  $zig c++ "${flags[@]}" "${sse[@]}" -c "$leveldb/port/port_posix_sse.cc" -o sse.o
  $zig c++ "${flags[@]}" -shared -s -Wl,--build-id=none "${sources[@]}" sse.o -o "$file"
  echo "$file: $(stat -c %s "$file") bytes"
}

# The oldest glibc that Node 20 runs on.
build x86_64-linux-gnu.2.28 linux-x64/classic-level.glibc.node
build aarch64-linux-gnu.2.28 linux-arm64/classic-level.glibc.armv8.node
build x86_64-linux-musl linux-x64/classic-level.musl.node
build aarch64-linux-musl linux-arm64/classic-level.musl.armv8.node
cd "$OLDPWD" && sha256sum node_modules/{classic-level,napi-macros,node-api-headers}/package.json engine/{leveldb,binding}.patch engine/build.sh > "$out/sha256sums"
cd "$out" && sha256sum */*.node >> sha256sums
