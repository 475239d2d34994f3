# man.awk: libnn(3) from nn.h: comments are its text, declarations stand as they
# are.
function roff(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    return s ~ /^[.']/ ? "\\&" s : s
}
function code(on) {
    if (on != coding)
        print on ? ".EX" : ".EE"
    coding = on
}
BEGIN {
    print ".TH LIBNN 3 \"\" \"nncc " version "\" \"Library Functions\""
    print ".SH NAME\nlibnn \\- open, call and train modules compiled by nncc"
    print ".SH SYNOPSIS\n.EX\n#include <nn.h>\n\ncc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs libnn)\n.EE"
    print ".SH DESCRIPTION"
}
/visibility|__GNUC__|__cplusplus|^#endif|^#define NN_H|^#ifndef NN_H|^#include|^extern "C"|^}$/ { next }
# A comment that begins a line is text; "file.c: what" begins a section.
/^\/\*/ && !inside {
    code(0)
    sub(/^\/\* ?/, "")
    inside = 1
    if ($0 ~ /^[a-z_, .]*\.c(:| \*)/) {
        head = $0
        if (!sub(/^[a-z_, .]*\.c: */, "", head))
            sub(/\.c.*/, "", head)
        sub(/ *\*\/$/, "", head)
        print ".SS " roff(toupper(substr(head, 1, 1)) substr(head, 2))
        sub(/.*/, $0 ~ /\*\/$/ ? "*/" : "")
    } else
        print ".PP"
}
inside {
    ends = sub(/ *\*\/$/, "")
    sub(/^ \* ?/, "")
    if ($0 == "")
        print ".PP"
    else
        print roff($0)
    if (ends)
        inside = 0
    next
}
/^$/ { if (coding) print ""; next }
{ code(1); print roff($0) }
END { code(0); print ".SH SEE ALSO\n.BR nncc (1)" }
