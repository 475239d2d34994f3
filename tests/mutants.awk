# mutants.awk: makes every guard of a C file one that can be weakened.
#
#     awk -v file=NAME -v first=N -v table=FILE -f mutants.awk NAME
#
# The file with its guards numbered from N on, as mutants.c has it: the guard K
# is what is written, or its weakening where K is asked for. The table gets a
# line for each: number, file, line, function, "guard -> weakening".
#
# A guard is in a function that gives a node or a bool and decides (that infers
# nothing), and is there part of
#   - the condition of an `if`: each a of `if (a && b)` becomes true, and of
#     `if (a || b) return NULL;` false; `if (a || b) x;` as a whole true, and
#     `if (a && b) return NULL;` false;
#   - c of `return c ? x : NULL;`, likewise, or `return c ? NULL : x;`;
#   - each a of `return a && b;`.
# Where the function is left, or what comes next begins, with false, NULL or
# continue, it was left for the guard; else it goes on.

# The place behind the bracket that closes the one at `at`.
function closing(s, at,    depth, c) {
    for (depth = 0; at <= length(s); at++) {
        c = substr(s, at, 1)
        if (c == "(") depth++
        if (c == ")" && --depth == 0) return at + 1
    }
    return 0
}

# Splits s[from, to) at the operator op outside of brackets; the ends of its
# operands go to beg[], end[].
function split_at(s, from, to, op,    n, depth, i, c) {
    n = 1
    beg[1] = from
    depth = 0
    for (i = from; i < to; i++) {
        c = substr(s, i, 1)
        if (c == "(" || c == "[" || c == "{") depth++
        if (c == ")" || c == "]" || c == "}") depth--
        if (depth == 0 && substr(s, i, 2) == op) {
            end[n] = i
            beg[++n] = i + 2
            i++
        }
    }
    end[n] = to
    return n
}

function weaken(from, to, by,    old, before, line) {
    while (substr(text, from, 1) ~ /[ \n]/) from++
    while (substr(text, to - 1, 1) ~ /[ \n]/) to--
    old = substr(text, from, to - from)
    gsub(/[ \n]+/, " ", old)
    before = substr(text, 1, from - 1)
    line = gsub(/\n/, "\n", before) + 1
    opens[from] = opens[from] "MUTANT(" number ", " by ", "
    closes[to] = closes[to] ")"
    old = old " -> " by
    if (seen[fn, old]++) old = old " #" seen[fn, old]
    printf "%d\t%s\t%d\t%s\t%s\n", number++, file, line, fn, old >table
}

# Weakened, the condition text[from, to) holds more often (by = "true") or less.
function condition(from, to, by,    n, i) {
    n = split_at(text, from, to, by == "true" ? "||" : "&&")
    if (n == 1) n = split_at(text, from, to, by == "true" ? "&&" : "||")
    else { n = 1; beg[1] = from; end[1] = to }
    for (i = 1; i <= n; i++) weaken(beg[i], end[i], by)
}

# Is the function around `at` one that decides? Sets fn to its name.
function decides(at) {
    while (at_function < nfunctions && begins[at_function + 1] <= at) at_function++
    fn = name_of[at_function]
    return decider[at_function]
}

# For f(a), from the first match of `pattern` to the last.
function each(pattern, kind,    at, open, close_at, middle, rest) {
    at_function = 0
    for (at = 1; match(substr(text, at), pattern); at = open + 1) {
        open = at + RSTART + RLENGTH - 2
        if (kind == "return") open = at + RSTART + 5
        if (!decides(open)) continue
        if (kind == "if") {
            close_at = closing(text, open)
            rest = substr(text, close_at, 60)
            condition(open + 1, close_at - 1,
                rest ~ /^[ \n{]*(return (NULL|false)|continue);/ ? "false" : "true")
            continue
        }
        rest = substr(text, open + 1, index(substr(text, open), ";") - 2)
        middle = index(rest, "?")
        if (rest ~ /\?[^;:]*: NULL$/) condition(open + 1, open + middle, "true")
        else if (rest ~ /\? NULL :/) condition(open + 1, open + middle, "false")
        else if (!middle && split_at(rest, 1, length(rest) + 1, "||") == 1 &&
                 split_at(rest, 1, length(rest) + 1, "&&") > 1)
            condition(open + 1, open + 1 + length(rest), "true")
    }
}

/^$/ || /;$/ || /^[}#]/ { head = "" }
/^[a-z]/ { head = "" }
$0 == "{" {
    begins[++nfunctions] = length(text) + 1
    decider[nfunctions] = head ~ /^(static )?(inline )?(const )?(Node \*|bool )/ &&
        head !~ /infer|verify|lower|Str \*/
    name_of[nfunctions] = head
    sub(/\(.*/, "", name_of[nfunctions])
    sub(/.*[ *]/, "", name_of[nfunctions])
}
{ text = text $0 "\n"; head = head $0 " " }

END {
    number = first
    each("[ \n]if \\(", "if")
    each("[ \n]return [^;]*;", "return")
    print "#include <stdbool.h>\nextern int mutant;\nbool mutant_seen(int, bool, bool);"
    print "#define MUTANT(n, by, ...) (mutant == n ? by : mutant_seen(n, by, !!(__VA_ARGS__)))"
    print "#line 1 \"" file "\""
    for (i = 1; i <= length(text); i++)
        printf "%s%s%s", closes[i], opens[i], substr(text, i, 1)
}
