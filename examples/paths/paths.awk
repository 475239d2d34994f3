# paths.awk: 4,000 graphs of 10 nodes as CSV: is there a way from node 0 to node 9, then the
# ends of 5 to 14 edges.
BEGIN {
    srand(3)
    printf "way"
    for (e = 0; e < 14; e++)
        printf ",u%d,v%d", e, e
    print ""
    for (graph = 0; graph < 4000; graph++) {
        m = 5 + int(10 * rand())
        row = ""
        for (v = 0; v < 10; v++)
            near[v] = v == 0
        for (e = 0; e < m; e++) {
            u[e] = int(10 * rand())
            do
                w[e] = int(10 * rand())
            while (w[e] == u[e])
            row = row "," u[e] "," w[e]
        }
        for (round = 0; round < 10; round++)
            for (e = 0; e < m; e++)
                near[u[e]] = near[w[e]] = near[u[e]] || near[w[e]]
        print (near[9] ? "yes" : "no") row
    }
}
