#!/bin/sh
# Reports on core/ compiled for a chip: what it needs of a C library, code and stack sizes.
# Usage: report.sh FLAGS BUILD_DIR OBJECT...   RV32: prefix of the toolchain
set -eu
flags=$1
dir=$2
shift 2

defined=$(mktemp)
trap 'rm -f "$defined"' EXIT
"${RV32}nm" --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u > "$defined"
needs=$("${RV32}nm" -u "$@" | awk '$1 == "U" { print $2 }' | sort -u | comm -23 - "$defined")
echo "needs of the C library and compiler: $(echo $needs)"
foreign=$(echo "$needs" | grep -Ev '^(mem|str|__)[a-z0-9_]*$' || true)
if [ -n "$foreign" ]; then
    echo "core/ has to get along without: $(echo $foreign)" >&2
    exit 1
fi

# text: code and constants. Without NVS: what the goal of 8 KB is about.
echo
echo "text, bytes        object"
"${RV32}size" "$@" | awk 'NR > 1 {
    n = split($6, part, "/"); printf "%8d           %s\n", $1, part[n]
    if (part[n] ~ /^nvs/) nvs += $1; else core += $1
} END { printf "%8d           NVS\n%8d           all but NVS\n", nvs, core }'

# What a program takes of it: linked with one root, the rest left out.
linked() {
    name=$1
    shift
    roots=$(printf -- '-Wl,-u,%s ' $1)
    shift
    "${RV32}gcc" $flags -nostartfiles -Wl,--gc-sections -Wl,-e,al_boot -Wl,-Map="$dir/$name.map" \
        $roots "$@" -o "$dir/$name.elf"
    libc=$("${RV32}nm" -S "$dir/$name.elf" |
        awk 'tolower($3) == "t" && $4 ~ /^(mem|str)/ { print $2 }' |
        while read -r size; do echo $((0x$size)); done | awk '{ s += $1 } END { print s + 0 }')
    text=$("${RV32}size" -A "$dir/$name.elf" | awk '$1 == ".text" { print $2 }')
    printf '%8d           %s\n' $((text - libc)) "$name"
}
echo
echo "text, bytes        program (linked with what it uses, without C library)"
linked boot-loader "al_boot" "$@"
linked boot-loader-and-updates "al_boot al_ota_begin al_ota_write al_ota_end al_ota_set_boot \
al_ota_mark_valid al_ota_mark_invalid" "$@"

echo
echo "stack frame, bytes function (the largest; without what it calls)"
find "$dir/core" -name '*.su' ! -name 'nvs*' -exec cat {} + | sort -t "$(printf '\t')" -k2 -rn | head -8 |
    awk -F '\t' '{ n = split($1, part, ":"); printf "%8d           %s %s\n", $2, part[1], part[n] }'
