# shapes.awk: long programs of many kinds: awk -v kind=K -v n=N -f shapes.awk
# prints a program of n statements, functions, fields or terms.
function statements(first, text, last,   i, s) {
    print "  let s0 = " first ";"
    for (i = 0; i < n; i++) {
        s = text
        gsub(/THIS/, "s" i, s)
        gsub(/NUMBER/, i % 7 ".5", s)
        print "  let s" i + 1 " = " s ";"
    }
    print "  " last "(s" n ")"
    print "}"
    print "export f;"
}

BEGIN {
    if (kind == "scalars") {
        print "fn same(x: real) -> real = x;"
        print "fn f(x: real, a: real) -> real {"
        statements("x", "tanh(THIS * a) + NUMBER * x", "same")
        print "export value_and_grad(f, x, a) as g;"
    } else if (kind == "vectors") {
        print "fn f(x: real[64], a: real) -> real {"
        statements("x", "tanh(THIS * a) + NUMBER * x", "sum")
        print "export value_and_grad(f, x, a) as g;"
    } else if (kind == "products") {
        print "fn f(x: real[16], w: real[16, 16]) -> real {"
        statements("x", "tanh(w @ THIS + NUMBER)", "sum")
        print "export grad(f, x, w) as g;"
    } else if (kind == "comprehensions") {
        print "fn f(x: real[64]) -> real {"
        statements("x", "[i < 64 | tanh(THIS[i]) + NUMBER * THIS[63 - i]]", "sum")
        print "export grad(f, x) as g;"
    } else if (kind == "loops") {
        print "fn same(x: real) -> real = x;"
        print "fn f(x: real) -> real {"
        statements("x", "fold(i < 10, c = THIS | sin(c * NUMBER) + x)", "same")
        print "export grad(f, x) as g;"
    } else if (kind == "nests") {
        print "fn same(x: real) -> real = x;"
        print "fn f(x: real) -> real {"
        text = "sin(c9 * NUMBER) + x"
        for (d = 9; d >= 0; d--)
            text = "fold(i" d " < 3, c" d " = " (d ? "c" d - 1 : "THIS") " | " text ")"
        n = int(n / 10)
        statements("x", text, "same")
        print "export grad(f, x) as g;"
    } else if (kind == "branches") {
        print "fn f(x: real, a: real[64]) -> real {"
        statements("a", "if x > NUMBER { sin(THIS) } else { THIS * NUMBER + a }", "sum")
        print "export grad(f, a) as g;"
    } else if (kind == "fields") {
        print "struct S {"
        for (i = 0; i < n; i++)
            print "  w" i ": real[8],"
        print "}"
        print "fn f(s: S) -> real = 0"
        for (i = 0; i < n; i++)
            print "  + sum(s.w" i " * s.w" i ")"
        print ";"
        print "export f;"
        print "export grad(f, s) as g;"
    } else if (kind == "terms") {
        print "fn f(x: real, y: real) -> real = 0"
        for (i = 0; i < n; i++)
            print "  + sin(x * " i ".5) * y"
        print ";"
        print "export f;"
        print "export grad(f, x) as g;"
    } else if (kind == "functions") {
        print "fn f0(x: real) -> real = tanh(x);"
        for (i = 1; i < n; i++)
            print "fn f" i "(x: real) -> real = " \
                (i % 50 ? "sin(f" i - 1 "(x)) + " i % 7 ".5 * x" : "cos(x)") ";"
        print "export f" n - 1 ";"
        print "export grad(f" n - 1 ") as g;"
    } else if (kind == "exports") {
        for (i = 0; i < n; i++) {
            print "fn f" i "(x: real[8]) -> real = sum(tanh(x * " i ".5));"
            print "export f" i ";"
        }
    }
}
