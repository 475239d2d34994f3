# check.sh: nncc check on every example, and on a derivative that is off.
. "$ROOT/tests/e2e-lib.sh"

for m in "$ROOT"/examples/*/*.nn; do
    accept "$NNCC" check "$m"
done
