# completion.sh: manual pages and completion know every command and option that
# --help knows.
. "$ROOT/tests/e2e-lib.sh"

accept "$NNCC" --man
cp out.txt nncc.1
sed 's/\\-/-/g' nncc.1 >plain.txt
awk -v version=1 -f "$ROOT/runtime/man.awk" "$ROOT/runtime/nn.h" >libnn.3
accept "$NNCC" --completion=bash
cp out.txt bash.txt
accept "$NNCC" --completion=zsh
cp out.txt zsh.txt
refuse 2 "completion' is bash or zsh, not 'fish'" "$NNCC" --completion=fish

"$NNCC" --help | sed -n 's/^  nncc \([a-z]*\) .*/\1/p' >commands
[ "$(wc -l <commands)" -ge 13 ] || fail "commands: $(cat commands)"
while read -r c; do
    grep -q "^\.SS nncc $c " nncc.1 || fail "nncc.1 lacks $c"
    grep -q "^    $c)" bash.txt || fail "no completion of $c"
    grep -q "'$c:" zsh.txt || fail "no completion of $c in zsh"
done <commands
for c in '' $(cat commands); do
    "$NNCC" $c --help | sed -n 's/^  ..  *--\([a-z-]*\).*/\1/p; s/^  -., --\([a-z-]*\).*/\1/p' |
        sort -u | grep -v '^help$' >options
    [ -s options ] || fail "no options of nncc $c"
    ! "$NNCC" $c --help | grep -E '^ {29}' || fail "nncc $c --help: not in its column"
    while read -r o; do
        grep -q -- "--$o" bash.txt && grep -q -- "--$o" zsh.txt || fail "no completion of --$o"
        grep -q -- "--$o" plain.txt || fail "nncc.1 lacks --$o"
    done <options
done
grep -o '\<nncc_[a-z_]*(' "$ROOT/runtime/nn.h" | sort -u >declared
while read -r f; do
    grep -q "$f" libnn.3 || fail "libnn.3 lacks $f"
done <declared
if command -v groff >/dev/null; then
    for page in nncc.1 libnn.3; do
        groff -man -Tutf8 -K utf8 -ww $page >page.txt 2>warnings.txt || fail "groff: $page"
        [ ! -s warnings.txt ] || fail "$page: $(head -3 warnings.txt)"
    done
else
    echo "skipped: groff"
fi

# What bash would offer. complete WORD…: of the last one.
cat >m.nn <<'N'
fn first(x: real) -> real = x;
fn second(x: real) -> real = x * x;
N
cat >offer.bash <<'B'
. ./bash.txt
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_nncc
echo "${COMPREPLY[*]}"
B
offers() { # EXPECTED WORD…
    want=$1
    shift
    got=$(bash offer.bash nncc "$@")
    [ "$got" = "$want" ] || fail "'$*' offers '$got', not '$want'"
}
if command -v bash >/dev/null; then
    offers 'train trace' tra
    offers 'm.nn' m
    offers 'm.nn' fit ''
    offers 'first second' run m.nn ''
    offers '--schedule=' train m.nn --sch
    offers 'f32 f64' train m.nn --real ''
    offers 'f64' train m.nn --real = f6
    offers '--soname=' m.nn --so
    offers 'bash zsh' --completion = ''
    offers 'lbfgs newton' fit m.nn first --method ''
    case " $(bash offer.bash nncc fit m.nn first --) " in
    *' --absolute '*' --json '*) ;;
    *) fail "fit's options" ;;
    esac
else
    echo "skipped: bash"
fi
cp zsh.txt _nncc
cat >offer.zsh <<'Z'
# What zsh makes of each line and a tabulator.
zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "PROMPT=; fpath=($PWD \$fpath); autoload -U compinit; compinit -u -D
show() { print -r -- \"<\$BUFFER>\"; zle kill-whole-line }; zle -N show; bindkey '^X' show; bindkey '^I' complete-word; print rea''dy"
zpty -r -m shell text '*ready*'
for line; do
    zpty -w -n shell "$line"$'\t\C-X'
    zpty -r -m shell text '*<*>*'
    print -r -- ${${text##*<}%%>*}
done
zpty -d shell
Z
if command -v zsh >/dev/null; then
    cat >want.txt <<'W'
nncc --completion=
nncc --completion=zsh 
nncc predict 
nncc train m.nn --schedule=
nncc run m.nn --real=f64 
nncc check m.nn 
W
    zsh -f offer.zsh 'nncc --comple' 'nncc --completion=z' 'nncc predic' 'nncc train m.nn --sch' \
        'nncc run m.nn --real=f6' 'nncc check m' >got.txt
    cmp -s want.txt got.txt || fail "zsh: $(cat got.txt)"
else
    echo "skipped: zsh"
fi
