# live.awk: of `nncc --dump=kernels`, how large a function's workspace is beside all that is
# alive in it at once, an array being so from the first kernel that has it to the last; as a
# row of judge.awk. awk -v of=FUNCTION -v what= -v target=
/^function / {
    on = $2 == of ":"
    if (on)
        room = $4
}
!on { next }
/^work[0-9]+ : / {
    split($3, part, /[][]/)
    bytes[$1] = part[2] * (part[1] == "bool" || part[1] == "u8" ? 1 : substr(part[1], 2) / 8)
    next
}
/^kernel / { kernel++ }
{
    rest = $0
    while (match(rest, /work[0-9]+/)) {
        name = substr(rest, RSTART, RLENGTH)
        if (!(name in first))
            first[name] = kernel
        last[name] = kernel
        rest = substr(rest, RSTART + RLENGTH)
    }
}
END {
    for (k = 1; k <= kernel; k++) {
        now = 0
        for (name in first)
            if (first[name] <= k && k <= last[name])
                now += bytes[name]
        if (now > most)
            most = now
    }
    printf "%s\twhat is alive at once\t%.3g\t\t%s\t%d : %d bytes\n", what, room / most, target, room, most
}
