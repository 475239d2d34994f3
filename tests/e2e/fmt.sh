# fmt.sh: the examples and the standard library are laid out; what `nncc fmt`
# does to files.
. "$ROOT/tests/e2e-lib.sh"

"$NNCC" fmt --check "$ROOT"/examples/*/*.nn "$ROOT"/src/std/*.nn >out.txt ||
    fail "not laid out (make format): $(cat out.txt)"
[ ! -s out.txt ] || fail "listed though laid out"

text='fn f(x:real)->real=x*x; # square'
laid='fn f(x: real) -> real = x * x;  # square'
printf '%s\n' "$text" >m.nn
chmod 640 m.nn
ln -s m.nn link.nn
# --check lists and changes nothing.
if "$NNCC" fmt --check m.nn >out.txt; then fail '--check took it'; fi
[ "$(cat out.txt)" = m.nn ] || fail "--check lists $(cat out.txt)"
[ "$(cat m.nn)" = "$text" ] || fail '--check changed the file'
# From standard input to standard output.
[ "$("$NNCC" fmt - <m.nn)" = "$laid" ] || fail 'standard input'
# In place, through a link, with the permissions it had.
accept "$NNCC" fmt link.nn
[ -L link.nn ] || fail 'the link was replaced'
[ "$(cat m.nn)" = "$laid" ] || fail "$(cat m.nn)"
[ "$(stat -c %a m.nn)" = 640 ] || fail "permissions: $(stat -c %a m.nn)"
accept "$NNCC" fmt --check m.nn
# What is laid out is not written again.
touch -d '2000-01-01' m.nn
accept "$NNCC" fmt m.nn
[ "$(stat -c %y m.nn | cut -c1-4)" = 2000 ] || fail 'written again'
# What is no program stays; the files after it are laid out.
printf 'fn f(x: real) -> real = x * ;\n' >bad.nn
cp bad.nn before.nn
printf '%s\n' "$text" >good.nn
refuse 1 'bad\.nn:1:29: error: unexpected' "$NNCC" fmt bad.nn good.nn
cmp bad.nn before.nn || fail 'a wrong program was changed'
[ "$(cat good.nn)" = "$laid" ] || fail "$(cat good.nn)"
refuse 1 'none\.nn: no such file' "$NNCC" fmt none.nn
refuse 2 'unknown option' "$NNCC" fmt --chek m.nn
