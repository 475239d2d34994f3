# bad-source.sh: sources that cannot be read or are no program.
. "$ROOT/tests/e2e-lib.sh"

refuse 1 'missing\.nn: .*(no such file|not found|does not exist)' "$NNCC" missing.nn -o m.so
: >empty.nn
refuse 1 'empty\.nn.*(empty|exports nothing)' "$NNCC" empty.nn -o m.so
mkdir folder.nn
refuse 1 'folder\.nn: .*directory' "$NNCC" folder.nn -o m.so
head -c 5000 "$NNCC" >binary.nn
refuse 1 'binary\.nn' "$NNCC" binary.nn -o m.so
[ "$(wc -l <err.txt)" -lt 12 ] || fail "a binary file gives a flood of messages"
awk 'BEGIN { for (i = 0; i < 3400000; i++) print "# thirty characters of comment" }' >huge.nn
refuse 1 'huge\.nn.*(MB|large)' "$NNCC" huge.nn -o m.so
rm huge.nn

deep() { # OPEN CLOSE
    awk -v o="$1" -v c="$2" 'BEGIN {
        printf "fn f(x: real) -> real = "
        for (i = 0; i < 100000; i++) printf "%s", o
        printf "x"
        for (i = 0; i < 100000; i++) printf "%s", c
        print ";\nexport f;" }'
}
deep '(' ')' >deep.nn
refuse 1 'deep\.nn:1:.*nested too deep' "$NNCC" deep.nn -o m.so
deep '-' '' >deep.nn
refuse 1 'deep\.nn:1:.*nested too deep' "$NNCC" deep.nn -o m.so
deep '[' ']' >deep.nn
refuse 1 'deep\.nn:1:.*nested too deep' "$NNCC" deep.nn -o m.so
deep 'x^' '' >deep.nn
refuse 1 'deep\.nn:1:.*nested too deep' "$NNCC" deep.nn -o m.so
deep 'sin(' ')' >deep.nn
refuse 1 'deep\.nn:1:.*nested too deep' "$NNCC" deep.nn -o m.so
deep '{' '}' >deep.nn
refuse 1 'deep\.nn:1:.*nested too deep' "$NNCC" deep.nn -o m.so
deep 'if x > 0 { 1.0 } else ' '' >deep.nn
refuse 1 'deep\.nn:1:' "$NNCC" deep.nn -o m.so
deep '(' '' >deep.nn
refuse 1 'deep\.nn:1:' "$NNCC" deep.nn -o m.so

# A long chain is no deep one.
awk 'BEGIN { printf "fn f(x: real) -> real = x"
    for (i = 0; i < 20000; i++) printf " + sin(x)"
    print ";\nexport f;" }' >long.nn
accept "$NNCC" long.nn -o long.ll

printf 'use b;\n' >a.nn
printf 'use a;\n' >b.nn
refuse 1 'circular' "$NNCC" a.nn -o m.so
printf 'use nosuch;\n' >u.nn
refuse 1 "nosuch" "$NNCC" u.nn -o m.so
