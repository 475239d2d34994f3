# show.sh: images of 8 × 8 pixels, from 0 to 16, six in a row, in characters.
tr -cs '0-9.e-' '\n' | awk '
    /[0-9]/ { v = $1 + 0; pixel[n++] = v < 2 ? " " : v < 5 ? "." : v < 9 ? "+" : v < 13 ? "%" : "#" }
    END { n = int(n / 64)
          for (first = 0; first < n; first += 6)
              for (i = 0; i < 8; i++) {
                  line = ""
                  for (k = first; k < n && k < first + 6; k++) {
                      for (j = 0; j < 8; j++) line = line pixel[64 * k + 8 * i + j] 
                      line = line "    " }
                  print line } }'
