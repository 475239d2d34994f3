# manual.sh: docs/manual.md has every function of the standard library as it is
# declared, and every built-in function.
. "$ROOT/tests/e2e-lib.sh"
manual=$ROOT/docs/manual.md

# heads FILE…: what stands before the bodies of functions, one a line.
heads() {
    cat "$@" | awk '
        /^fn / { text = ""; open = 1; depth = 0 }
        !open { next }
        { sub(/^ */, ""); text = text (text == "" ? "" : " ") $0
          head = ""; depth = 0
          for (i = 1; i <= length(text); i++) {
              c = substr(text, i, 1)
              if (c ~ /[(\[]/) depth++
              if (c ~ /[)\]]/) depth--
              if (depth == 0 && c ~ /[={]/) {
                  open = 0
                  sub(/ *$/, "", head)
                  print substr(head, 4)
                  next
              }
              head = head c
          } }'
}
heads "$ROOT"/src/std/*.nn >heads.txt
[ "$(wc -l <heads.txt)" -gt 60 ] || fail "only $(wc -l <heads.txt) functions"
while read -r head; do
    grep -qF "\`$head\`" "$manual" || fail "docs/manual.md lacks: $head"
done <heads.txt

# The names that begin a row of a table or stand in a list of names.
names=$(sed -n '/^## Built-in functions/,/^## The standard library/p' "$manual")
for f in $(sed -n '/builtins\[\] = {/,/^};/s/^ *{"\([a-z0-9]*\)".*/\1/p' \
    "$ROOT/src/check/builtin.c"); do
    echo "$names" | grep -qw "$f" || fail "docs/manual.md lacks '$f'"
done
for f in $(sed -n 's/^    \(abs\|exp\|sin\|sigmoid\) \(.*\)/\1 \2/p' "$manual"); do
    case $f in
    min | max | pow | hypot | atan2 | logaddexp | xlogy | xlog1py | lbeta) call="$f(x, y)" ;;
    clamp) call="clamp(x, 0, y)" ;;
    *) call="$f(x)" ;;
    esac
    echo "fn f(x: real[n], y: real) -> real[n] = $call;" >m.nn
    accept "$NNCC" m.nn
done
