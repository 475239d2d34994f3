#!/bin/sh
# format.sh CLANG_FORMAT: every C file is laid out as .clang-format says. All of
# them by one process: starting it takes longer than a file.
cd "$(dirname "$0")/.." || exit 2
files=$(find src runtime tests examples -name '*.[ch]')
all=$(echo "$files" | wc -l)
said=$("$1" --dry-run -Werror $files 2>&1)
status=$?
bad=$(echo "$said" | sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u)
fail=$(echo "$bad" | grep -c .)
[ "$bad" = '' ] || echo "$bad" | sed 's/$/: not as clang-format lays it out (make format)/'
# It looked at none of them, or not at all of them.
[ $status = 0 ] || [ "$fail" != 0 ] || { echo "$said" && fail=$all; }
echo "format: $((all - fail)) passed, $fail failed"
[ "$fail" = 0 ]
