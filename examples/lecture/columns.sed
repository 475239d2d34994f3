# columns.sed: rows of what `nncc run` prints, a line each.
s/^[^:]*: //
s/\], */\n/g
s/[][{},]/ /g
