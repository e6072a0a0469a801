#!/bin/sh
# Installs the packages named in FILE that are missing. Usage: setup.sh FILE
set -eu
list=$(sed 's/#.*//' "$1")
if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is no Debian system; have these ready: " $list >&2
    exit 0
fi
# make runs several of these at once; apt-get would not wait.
exec 9< "$0"
flock 9
missing=
for p in $list; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null) in
    ii*) ;;
    *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0
echo "setup: installing$missing"
# sudo keeps no environment; tshark would ask who may capture.
run="env DEBIAN_FRONTEND=noninteractive"
if [ "$(id -u)" != 0 ]; then run="sudo $run"; fi
$run apt-get update -qq
$run apt-get install -y -qq --no-install-recommends $missing
