#!/bin/sh
# Installs the Debian packages that building, testing and the demo need. Idempotent, asks nothing,
# installs only what is missing, starts no service.
set -u

# Each line: how to tell that it is there (a command, or file:PATH) | package | what it is for.
wanted='clang|clang|compiles the kernel programs
llvm-strip|llvm|strips them
file:/usr/include/bpf/bpf_helpers.h|libbpf-dev|loads them: headers and library
file:/usr/include/gelf.h|libelf-dev|reads their object files
bpftool|bpftool|reads the kernel types that they are compiled against
g++|g++|compiles the addon; its gcc compiles the kernel programs for tests with sanitizers
make|make|runs the Makefile and the build of the addon
python3|python3|node-gyp, which builds the addon, is written in it; kernel tests make system calls by it
pkg-config|pkg-config|finds libbpf
ip|iproute2|makes the hosts of the demo: network namespaces
nginx|nginx-light|the gateway of the demo, of tests and of benches
faketime|faketime|another clock for one agent, in the test of two hosts
nft|nftables|address translation in that test
wrk|wrk|load for the benches
haproxy|haproxy|a case of bench links: a proxy whose threads share an event loop each
caddy|caddy|a case of bench links: a proxy in Go, whose goroutines change threads
file:/etc/php|php-fpm|a case of bench links: PHP workers behind nginx on a unix-domain socket
chromium|chromium|the browser of the end-to-end tests
file:/usr/share/fonts/truetype/dejavu|fonts-dejavu-core|text in that browser
redis-server|redis-server|a real one for the tests of limit-count, which shares quotas through it; behind the web shop
file:/usr/lib/postgresql|postgresql|the database of the web shop (demo --shop)
etcd|etcd-server|a real one for the store of the gateway, in tests
openssl|openssl|makes the certificates of tests
prometheus|prometheus|a real one as neighbour and as reference, in tests and in bench metrics; with promtool
victoria-metrics|victoria-metrics|a second reference in bench metrics
git|git|names the measured commit in benches'

is_there() {
  case $1 in
    file:*) [ -e "${1#file:}" ] ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=
list=$(mktemp)
trap 'rm -f "$list"' EXIT
echo "$wanted" >"$list"
while IFS='|' read -r sign package reason; do
  is_there "$sign" && continue
  echo "missing: $package ($reason)"
  missing="$missing $package"
done <"$list"
if [ -z "$missing" ]; then
  echo 'system packages: nothing is missing'
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "thalweg: this machine has no apt-get" >&2
  echo "fix: install what is listed above with its own package manager, then run this again" >&2
  exit 5
fi
if [ "$(id -u)" != 0 ]; then
  echo "thalweg: installing packages needs root" >&2
  echo "fix: sudo apt-get install --no-install-recommends$missing" >&2
  exit 3
fi

# RUNLEVEL=1 makes Debian's invoke-rc.d leave services alone, but policy-rc.d decides where it
# exists. Without one we lend ours for the time of the install, so nginx does not take port 80.
policy=/usr/sbin/policy-rc.d
lent=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && lent=yes
fi
give_back() {
  [ -n "$lent" ] && rm -f "$policy"
  rm -f "$list"
}
trap give_back EXIT
trap 'exit 130' INT TERM

export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
# Waits for another apt-get, as a fresh machine runs one of its own.
# shellcheck disable=SC2086 # A list of words.
install() { apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 $missing; }
# Where the first try fails, the lists are missing or old: they are fetched once.
if ! install && ! { apt-get update -q && install; }; then
  echo "thalweg: apt-get could not install:$missing" >&2
  echo "fix: look at its messages above; is the package mirror reachable?" >&2
  exit 5
fi
