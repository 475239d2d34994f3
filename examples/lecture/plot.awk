# plot.awk: columns of numbers as a picture.
#
#   awk -f plot.awk -v title=TEXT [-v x=NAME] [-v y=NAME] [-v xlog=1] [-v ylog=1] FILE >f.svg
#
# A line "# NAME" begins a curve, lines "X Y" are its points; of axes that are
# logarithmic what is not above 0 is left out.
function to_x(v) { return 70 + 380 * ((xlog ? log(v) : v) - x0) / (x1 - x0) }
function to_y(v) { return 260 - 220 * ((ylog ? log(v) : v) - y0) / (y1 - y0) }
function text(at_x, at_y, anchor, s) {
    printf "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, s
}
# The distance of marks: 1, 2 or 5 times a power of 10; of logarithms whole powers.
function distance(lo, hi, logs,   d, p) {
    if (logs) return log(10) * (1 + int((hi - lo) / log(10) / 6))
    d = (hi - lo) / 5
    p = exp(log(10) * int(log(d) / log(10) - (d < 1)))
    return p * (d / p < 1.5 ? 1 : d / p < 3.5 ? 2 : d / p < 7.5 ? 5 : 10)
}
function number(v, logs) {
    if (!logs) return sprintf("%.4g", v)
    v /= log(10)
    v = int(v + (v < 0 ? -0.5 : 0.5))
    return v >= 0 && v < 5 ? sprintf("%d", 10 ^ v) : sprintf("1e%d", v)
}
function axis_x(   d, k, at) {
    d = distance(x0, x1, xlog)
    for (k = int(x0 / d) - 1; k * d <= x1 + 1e-9; k++) {
        if (k * d < x0 - 1e-9) continue
        at = 70 + 380 * (k * d - x0) / (x1 - x0)
        printf "<path d=\"M%.1f 40V260\" class=\"mark\"/>\n", at
        text(at, 276, "middle", number(k * d, xlog))
    }
}
function axis_y(   d, k, at) {
    d = distance(y0, y1, ylog)
    for (k = int(y0 / d) - 1; k * d <= y1 + 1e-9; k++) {
        if (k * d < y0 - 1e-9) continue
        at = 260 - 220 * (k * d - y0) / (y1 - y0)
        printf "<path d=\"M70 %.1fH450\" class=\"mark\"/>\n", at
        text(64, at + 4, "end", number(k * d, ylog))
    }
}
/^#/ { name[++curves] = substr($0, 3); next }
NF == 2 && !((xlog && $1 <= 0) || (ylog && $2 <= 0)) {
    a = xlog ? log($1) : $1 + 0
    b = ylog ? log($2) : $2 + 0
    if (!points || a < x0) x0 = a
    if (!points || a > x1) x1 = a
    if (!points || b < y0) y0 = b
    if (!points || b > y1) y1 = b
    points++
    px[curves, ++n[curves]] = $1
    py[curves, n[curves]] = $2
}
END {
    split("#2f6db5 #c2543d #3f9150 #8a5fb5 #b8902a #4aa0a8", colour, " ")
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 600 310\" font-family=\"sans-serif\" font-size=\"12\">"
    print "<style>path { fill: none; stroke-width: 1.6 } .mark { stroke: #ddd; stroke-width: 1 }</style>"
    text(260, 24, "middle", title)
    text(260, 298, "middle", x)
    text(12, 34, "start", y)
    axis_x()
    axis_y()
    for (c = 1; c <= curves; c++) {
        line = ""
        for (i = 1; i <= n[c]; i++)
            line = line sprintf("%s%.1f %.1f", i > 1 ? "L" : "M", to_x(px[c, i]), to_y(py[c, i]))
        printf "<path d=\"%s\" stroke=\"%s\"/>\n", line, colour[(c - 1) % 6 + 1]
        printf "<path d=\"M462 %.0fh18\" stroke=\"%s\"/>\n", 46 + 18 * c, colour[(c - 1) % 6 + 1]
        text(486, 50 + 18 * c, "start", name[c])
    }
    print "</svg>"
}
