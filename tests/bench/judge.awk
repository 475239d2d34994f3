# judge.awk: rows to a table that says which targets are met. A row has fields with tabs
# between: what, peer, the ratio (or what else is measured) by the best and by the median
# of all rounds, target, notes. A target is >= or <= a number; an empty one is none. A row
# without a value is left out, its note says why. Other lines are printed as they are.
# Exits 1 if a row falls short.
BEGIN {
    FS = "\t"
    form = "%-52s %-30s %8s %8s %10s  %-5s %s\n"
    printf form, "what", "peer", "best", "median", "target", "", "ours : theirs"
}
NF < 5 { print; next }
{
    verdict = "ok"
    split($5, limit, " ")
    if ($3 == "") {
        verdict = "-"
        out++
        if (!($6 in why)) {
            why[$6] = 1
            wanting = wanting (wanting ? "; " : "") $6
        }
    } else if ($5 == "")
        verdict = ""
    else if (limit[1] == ">=" ? $3 + 0 >= limit[2] + 0 : $3 + 0 <= limit[2] + 0)
        met++
    else {
        verdict = "SHORT"
        short++
    }
    printf form, $1, $2, $3, $4, $5, verdict, $6
    fflush()
}
END {
    printf "%d rows met, %d short, %d left out%s\n", met, short, out, wanting ? ": " wanting : ""
    exit short > 0
}
