# say.sh TEXT: the characters that numbers in the input stand for: those of TEXT
# in order, from 0.
tr -cs '0-9' '\n' | awk -v text="$1" '
    BEGIN { for (i = 1; i < 128; i++) code[sprintf("%c", i)] = i
            while ((getline line <text) > 0) {
                seen[10] = 1
                for (i = 1; i <= length(line); i++)
                    seen[code[substr(line, i, 1)]] = 1 }
            for (i = 1; i < 128; i++) if (i in seen) name[n++] = sprintf("%c", i) }
    NF { printf "%s", name[$1] }
    END { print "" }'
