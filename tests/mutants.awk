# mutants.awk: weakens one guard of a C file.
#
#     awk -f mutants.awk -v pick=K FILE.c      the file with its guard K weakened
#     awk -f mutants.awk -v pick=0 FILE.c      how many guards there are
#
# A guard is an operand of the condition of an `if`, or of a conditional
# expression that ends in `: NULL`, in a function that gives a node or a bool:
# one of `a && b` becomes true, one of `a || b` false. A condition of one operand
# becomes what lets the function go on. What K did is told on stderr.

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
function split_at(s, from, to, op, beg, end,    n, depth, i, c) {
    n = 1
    beg[1] = from
    depth = 0
    for (i = from; i < to; i++) {
        c = substr(s, i, 1)
        if (c == "(" || c == "[") depth++
        if (c == ")" || c == "]") depth--
        if (depth == 0 && substr(s, i, 2) == op) {
            end[n] = i
            beg[++n] = i + 2
            i++
        }
    }
    end[n] = to
    return n
}

function weaken(from, to, by,    old) {
    if (++count != pick) return
    old = substr(text, from, to - from)
    gsub(/[ \n]+/, " ", old)
    printf "line %d:%s -> %s\n", gsub(/\n/, "\n", before) + 1, old, by >"/dev/stderr"
    text = substr(text, 1, from - 1) " " by substr(text, to)
}

function condition(from, to, single,    n, beg, end, i, by) {
    before = substr(text, 1, from)
    n = split_at(text, from, to, "||", beg, end)
    by = "false"
    if (n == 1) {
        n = split_at(text, from, to, "&&", beg, end)
        by = n == 1 ? single : "true"
    }
    for (i = n; i >= 1; i--) weaken(beg[i], end[i], by)
}

# The functions that decide: they give a node or a bool, and infer nothing.
function decides(at,    head) {
    head = substr(text, 1, at)
    while (match(head, /\n[a-z][^\n;]*\([^;{}]*\)\n\{/)) {
        function_head = substr(head, RSTART, RLENGTH)
        head = substr(head, RSTART + RLENGTH)
    }
    return function_head ~ /\n(static )?(const )?(Node \*|bool )/ && function_head !~ /infer|verify|lower/
}

{ text = text $0 "\n" }

END {
    for (at = 1; match(substr(text, at), /[ \n]if \(/);) {
        open = at + RSTART + RLENGTH - 2
        close_at = closing(text, open)
        rest = substr(text, close_at, 40)
        if (decides(open))
            condition(open + 1, close_at - 1, rest ~ /^[ \n{]*return (NULL|false)/ ? "false" : "true")
        at = open + 1
    }
    for (at = 1; match(substr(text, at), /return [^;?]*\?[^;:]*: NULL;/);) {
        open = at + RSTART + 5
        if (decides(open))
            condition(open + 1, open + index(substr(text, open), "?") - 1, "true")
        at = open + 1
    }
    if (pick > 0) printf "%s", text
    else print count + 0
}
