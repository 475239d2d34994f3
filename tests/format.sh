#!/bin/sh
# format.sh CLANG_FORMAT: every C file is laid out as .clang-format says.
cd "$(dirname "$0")/.." || exit 2
pass=0 fail=0
for f in $(find src runtime tests examples -name '*.[ch]'); do
    if "$1" --dry-run -Werror "$f" 2>/dev/null; then
        pass=$((pass + 1))
    else
        echo "$f: not as clang-format lays it out (make format)"
        fail=$((fail + 1))
    fi
done
echo "format: $pass passed, $fail failed"
[ "$fail" = 0 ]
