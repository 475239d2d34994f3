# python.sh: the Python package, where there are Python and NumPy.
. "$ROOT/tests/e2e-lib.sh"

for python in python3 /usr/bin/python3 none; do
    $python -c 'import numpy' 2>/dev/null && break
done
[ $python != none ] || {
    echo "skipped: python3 with numpy"
    exit 0
}
export NNCC PYTHONPATH="$ROOT/python" XDG_CACHE_HOME="$PWD/cache" PYTHONDONTWRITEBYTECODE=1
$python "$ROOT/tests/python/test_nncc.py" -v 2>out.txt || fail "$(cat out.txt)"
sed -n "s/.*skipped '\([a-z]*\) is missing'.*/skipped: Python's \1/p" out.txt

# The text's examples, as one program.
awk '/^```python/ { on = 1; next } /^```/ { on = 0 } on' "$ROOT/docs/python.md" >examples.py
cp "$ROOT"/examples/flowers/*.nn "$ROOT"/examples/flowers/iris.csv .
accept $python examples.py
grep -q "'test accuracy'" out.txt || fail "$(cat out.txt)"
