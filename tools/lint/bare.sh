#!/bin/sh
# core/ and zigbee/ objects may need only mem*, str* and each other, and may
# hold no writable data. Usage: bare.sh OBJECT...
set -eu
bad=0
for s in $(nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u |
    grep -Ev '^(al_|zb_|mem|str|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail$)' || true); do
    echo "core/zigbee: needs $s, which bare metal does not have"
    bad=1
done
for o in "$@"; do
    # Constants with addresses in them lie in .data.rel.ro when code is position independent.
    vars=$(objdump -t "$o" | awk '/ O / && (/ \.(data|bss)/ || /\*COM\*/) && !/ \.data\.rel\.ro/ { print $NF }')
    if [ -n "$vars" ]; then
        echo "$o: writable globals:" $vars
        bad=1
    fi
done
exit $bad
