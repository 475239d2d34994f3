# moves.awk: 4,000 moves at random in a world of 6 x 6 places, as CSV. A move against the
# border or a wall (#) stays; the treasure (*) is worth 1 and ends it, so does a pit (o), -1.
BEGIN {
    srand(1)
    world[0] = "......"
    world[1] = ".##.o."
    world[2] = "...#.."
    world[3] = ".o.#.#"
    world[4] = ".#...."
    world[5] = "...o.*"
    split("-1 1 0 0", down)
    split("0 0 -1 1", right)
    print "row,column,move,reward,next_row,next_column,last"
    for (n = 0; n < 4000; n++) {
        do {
            r = int(6 * rand())
            c = int(6 * rand())
        } while (at(r, c) != ".")
        m = int(4 * rand())
        r1 = r + down[m + 1]
        c1 = c + right[m + 1]
        if (r1 < 0 || r1 > 5 || c1 < 0 || c1 > 5 || at(r1, c1) == "#") {
            r1 = r
            c1 = c
        }
        reward = at(r1, c1) == "*" ? 1 : at(r1, c1) == "o" ? -1 : 0
        print r "," c "," m "," reward "," r1 "," c1 "," (reward != 0)
    }
}
function at(r, c) { return substr(world[r], c + 1, 1) }
