#!/bin/sh
# Builds the kernel objects and the addon into packages/agent/build. Does nothing where the result
# is newer than its sources. Prints the instructions of each program.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build

# is_stale TARGET SOURCE…: true when a source is newer, or the target is missing.
is_stale() {
	target=$1
	shift
	[ -e "$target" ] || return 0
	for file in "$@"; do
		[ "$file" -nt "$target" ] && return 0
	done
	return 1
}

for source in bpf/*.bpf.c; do
	object=build/$(basename "$source" .c).o
	is_stale "$object" "$source" bpf/*.h || continue
	clang -target bpf -D__TARGET_ARCH_x86 -mcpu=v3 -g -O2 -Wall -Wextra -Werror -Ibpf \
		-c "$source" -o "$object"
	# Line tables go, BTF stays: CO-RE needs it.
	llvm-strip -g "$object"
	for section in $(llvm-objdump -h "$object" | awk '/TEXT/ && $3 != "00000000" {print $2 ":" $3}'); do
		echo "$object ${section%:*}: $((0x${section##*:} / 8)) instructions"
	done
done

if is_stale build/thalweg_bpf.node native/addon.cc native/*.h native/binding.gyp; then
	headers=$(node -p "require('node:path').resolve(process.execPath, '../..')")
	if ! ../../node_modules/.bin/node-gyp rebuild --directory native --nodedir="$headers" \
		>build/addon.log 2>&1; then
		cat build/addon.log
		exit 1
	fi
	cp native/build/Release/thalweg_bpf.node build/
fi
