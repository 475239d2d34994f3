# turns.awk: what two commands took, microseconds of ours and theirs by turns, to a row of
# judge.awk: awk -v what= -v peer= -v target=.
{ to = NR % 2; time[to, ++n[to]] = $1 }
function sorted(to,   i, j, t) {
    for (i = 2; i <= n[to]; i++) {
        t = time[to, i]
        for (j = i - 1; j > 0 && time[to, j] > t; j--)
            time[to, j + 1] = time[to, j]
        time[to, j + 1] = t
    }
}
END {
    sorted(1)
    sorted(0)
    middle = int(n[0] / 2) + 1
    best = time[0, 1] / time[1, 1]
    median = time[0, middle] / time[1, middle]
    if (substr(target, 1, 1) == "<") {
        best = 1 / best
        median = 1 / median
    }
    printf "%s\t%s\t%.3g\t%.3g\t%s\t%.3g ms : %.3g ms\n", what, peer, best, median, target,
        time[1, 1] / 1000, time[0, 1] / 1000
}
