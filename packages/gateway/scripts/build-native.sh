#!/bin/sh
# Builds the addon into packages/gateway/build; does nothing where it is newer than its sources. Where
# it cannot be built the gateway runs on Node's own sockets, so that this only warns.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
target=build/thalweg_sockets.node

for source in native/addon.cc native/sockets.h native/binding.gyp; do
	[ "$target" -nt "$source" ] || is_stale=1
done
[ "${is_stale:-0}" = 1 ] || exit 0

headers=$(node -p "require('node:path').resolve(process.execPath, '../..')")
if ../../node_modules/.bin/node-gyp rebuild --directory native --nodedir="$headers" \
	>build/addon.log 2>&1; then
	cp native/build/Release/thalweg_sockets.node build/
else
	rm -f "$target"
	cat build/addon.log
	echo "warning: gateway_addon_missing: the gateway's addon was not built; fix: what is printed above"
fi
