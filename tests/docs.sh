#!/bin/sh
# docs.sh BUILD [LIBS]: run what README.md, docs/ and examples/*/README.md show, as
# written. A fenced block marked `sh` is run from the top of a copy of the
# project, after the lines of README.md that say `export`: nothing else puts nncc
# on the PATH. libnn is taken to be installed. A block marked `output` right after
# it is what it prints, where a line of three dots stands for any lines. A block
# marked `nn` is a program that must compile and be laid out as `nncc fmt` does
# it; `nn f.nn` also leaves it as f.nn for the blocks that follow. Lines that call
# make are what runs this script and are left out.
build=$(cd "$1" && pwd) || exit 2
libs=$(cd "${2:-$1}" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 2
root=$(pwd)
. tests/limits.sh
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
mkdir "$work/copy" "$work/blocks" && cp -r README.md CONTRIBUTING.md docs examples "$work/copy" &&
    ln -s "$build" "$work/copy/build"
CPATH=$root/runtime LIBRARY_PATH=$libs LD_LIBRARY_PATH=$libs
export CPATH LIBRARY_PATH LD_LIBRARY_PATH
: >"$work/exports"
pass=0 fail=0

split() { # FILE: blocks to $work/blocks/NNN.KIND
    rm -f "$work"/blocks/*
    awk -v dir="$work/blocks" '
        /^```/ { if (inside) { inside = 0; close(out); next }
                 kind = substr($0, 4)
                 if (kind == "") kind = "text"
                 out = sprintf("%s/%03d.%s", dir, ++n, kind)
                 printf "" >out; inside = 1; next }
        inside { print >out }' "$1"
}

matches() { # EXPECTED GOT
    awk -v got="$2" '
        BEGIN { while ((getline line <got) > 0) g[++n] = line; i = 1 }
        $0 == "..." { any = 1; next }
        { if (any) while (i <= n && g[i] != $0) i++
          if (i > n || g[i] != $0) { print "expected: " $0; bad = 1; exit 1 }
          i++; any = 0 }
        END { if (!bad && !any && i <= n) { print "unexpected: " g[i]; exit 1 } }' \
        "$1"
}

verdict() { # STATUS WHAT
    if [ "$1" = 0 ]; then
        pass=$((pass + 1))
    else
        echo "$2 failed:"
        tail -20 "$work/log"
        fail=$((fail + 1))
    fi
}

for doc in README.md CONTRIBUTING.md docs/*.md examples/*/README.md; do
    [ -f "$doc" ] || continue
    split "$doc"
    for b in "$work"/blocks/*; do
        [ -f "$b" ] || continue
        name=$(basename "$b")
        case $b in
        *.sh)
            grep -v '^make \|^sudo ' "$b" | cat "$work/exports" - >"$work/script"
            [ "$doc" != README.md ] || grep '^export [A-Z_]*=' "$b" >>"$work/exports"
            (cd "$work/copy" && sh -e "$work/script") >"$work/log" 2>&1
            status=$?
            next=$(printf '%s/blocks/%03d.output' "$work" \
                $(($(echo "${name%.sh}" | sed 's/^0*//') + 1)))
            if [ $status = 0 ] && [ -f "$next" ]; then
                cp "$work/log" "$work/got"
                matches "$next" "$work/got" >>"$work/log"
                status=$?
            fi
            verdict $status "$doc, block $name"
            ;;
        *.nn)
            file=${name#* }
            [ "$file" = "$name" ] || cp "$b" "$work/copy/$file"
            (cd "$work/copy" && "$build/nncc" - <"$b" && "$build/nncc" fmt --check - <"$b") \
                >"$work/log" 2>&1
            verdict $? "$doc, block $name"
            ;;
        esac
    done
done
echo "docs: $pass passed, $fail failed"
[ "$fail" = 0 ]
