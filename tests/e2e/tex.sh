# tex.sh: what `nncc diff --tex` and `nncc trace --tex` write of the course is LaTeX: of
# each all in one document, for pdflatex starts slowly.
. "$ROOT/tests/e2e-lib.sh"

if ! command -v pdflatex >/dev/null; then
    echo "skipped: 2 documents, for want of pdflatex"
    exit 0
fi

# add COMMAND CHAPTER ARGUMENT…: what it writes, to the document of that name.
add() {
    command=$1 chapter=$2
    shift 2
    accept "$NNCC" $command "$ROOT/examples/lecture/$chapter.nn" "$@" --tex -o f.tex
    sed '/begin{document}/,$d' f.tex >begin
    [ -f $command.begin ] || cp begin $command.begin
    cmp begin $command.begin || fail "another preamble: $command $chapter $*"
    sed '1,/begin{document}/d; /end{document}/,$d' f.tex >>$command.body
    printf '\\clearpage\n' >>$command.body
}
add diff formula f
add diff formula f --hessian
add diff two_layer loss
add diff two_layer loss --hvp
add diff deep loss
add diff extend meta
add diff swell product
add diff swell reused
add diff forward g --jacobian
add diff numerical g
add diff softmax loss --hessian --by W
add diff descent bowl --hessian
add diff relu network
add trace formula f x1=2 x2=5
add trace formula f x1=2 x2=5 --forward x1
add trace formula f x1=2 x2=5 --reverse
add trace two_layer loss --seed 1 --reverse
add trace deep loss --seed 1 --reverse
add trace swell product --seed 1 --reverse
for d in diff trace; do
    { cat $d.begin && printf '\\begin{document}\n' && cat $d.body &&
        printf '\\end{document}\n'; } >$d.tex
    accept pdflatex -halt-on-error -interaction=nonstopmode $d.tex
    ! grep 'Missing character' $d.log || fail "$d"
done
