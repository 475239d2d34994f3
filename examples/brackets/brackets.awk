# brackets.awk: 3,000 rows of brackets as CSV: right or wrong, then 2 to 24 numbers, 1 and 2
# for ( and ), 3 and 4 for [ and ]. Half of them are right; in the others one is exchanged.
BEGIN {
    srand(2)
    printf "answer"
    for (i = 0; i < 24; i++)
        printf ",t%d", i
    print ""
    for (row = 0; row < 3000; row++) {
        n = 2 * (1 + int(12 * rand()))
        open = 0
        for (i = 0; i < n; i++) {
            left = n - i
            if (open == 0 || (open < left && rand() < 0.5)) {
                kind[open++] = b[i] = rand() < 0.5 ? 1 : 3
            } else {
                b[i] = kind[--open] + 1
            }
        }
        wrong = rand() < 0.5
        if (wrong) {
            i = int(n * rand())
            b[i] = 1 + (b[i] + int(3 * rand())) % 4
        }
        printf "%s", wrong ? "wrong" : "right"
        for (i = 0; i < n; i++)
            printf ",%d", b[i]
        print ""
    }
}
