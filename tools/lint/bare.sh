#!/bin/sh
# core/ and zigbee/ objects may need only mem*, str* and each other, and may
# hold no writable data. Usage: bare.sh OBJECT...
set -eu
bad=0
nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u > "${TMPDIR:-/tmp}/bare.$$"
for s in $(grep -Ev '^(al_|zb_|mem|str|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail$|__asan_|__ubsan_)' "${TMPDIR:-/tmp}/bare.$$" || true); do
    echo "core/zigbee: needs $s, which bare metal does not have"
    bad=1
done
rm -f "${TMPDIR:-/tmp}/bare.$$"
for o in "$@"; do
    vars=$(nm "$o" | awk '$2 ~ /^[bBdDCsS]$/ { print $3 }' | grep -v '^\.' || true)
    if [ -n "$vars" ]; then
        echo "$o: writable globals:" $vars
        bad=1
    fi
done
exit $bad
