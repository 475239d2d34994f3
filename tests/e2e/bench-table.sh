# bench-table.sh: what `make bench` makes of rows: targets met, those short, what is left out.
. "$ROOT/tests/e2e-lib.sh"
judge="awk -f $ROOT/tests/bench/judge.awk"
row() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

{
    row a peer 1.2 1.1 '>= 1.2' '1 us : 1.2 us'
    row b peer 1.5 1.1 '<= 2' ''
    row c '' '0.03 s' '' '<= 5 s' ''
    row d peer 0.1 0.1 '' ''
    row e other '' '' '>= 1' 'no other'
    row f other '' '' '>= 1' 'no other'
} >rows
accept $judge rows
[ "$(tail -1 out.txt)" = '3 rows met, 0 short, 2 left out: no other' ] || fail "$(tail -1 out.txt)"
# By the best: what is short is told and counted.
for row in '0.99 9 >=_1' '2.01 1 <=_2' '6_s  <=_5_s' 'failed  >=_1'; do
    set -- $row
    [ $# = 3 ] || set -- "$1" '' "$2"
    {
        cat rows
        row g peer "$(echo "$1" | tr _ ' ')" "$2" "$(echo "$3" | tr _ ' ')" ''
    } >more
    ! $judge more >out.txt || fail "$row is not short"
    grep -q '^g .*SHORT' out.txt || fail "$row is not told"
    grep -q '^3 rows met, 1 short, 2 left out' out.txt || fail "$row is not counted"
done
# Lines that are no rows are kept.
echo 'something failed' | $judge | grep -q '^something failed$' || fail 'a message is lost'

# Two that took turns: ours 10, 14, 12, theirs 30, 21, 24 microseconds.
printf '%s\n' 10 30 14 21 12 24 | awk -f "$ROOT/tests/bench/turns.awk" -v what=w -v peer=p -v target='>= 2' >turns
[ "$(cut -f 3-5 turns)" = "$(printf '2.1\t2\t>= 2')" ] || fail "$(cat turns)"
printf '%s\n' 10 30 14 21 12 24 | awk -f "$ROOT/tests/bench/turns.awk" -v what=w -v peer=p -v target='<= 1' >turns
[ "$(cut -f 3-5 turns)" = "$(printf '0.476\t0.5\t<= 1')" ] || fail "$(cat turns)"
