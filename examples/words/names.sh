# names.sh LIST: numbers of words as words.
tr -dc '0-9,' | awk -v RS=, -v list="$1" '
    BEGIN { RS = "\n"; while ((getline w <list) > 0) word[n++] = w; RS = "," }
    { printf "%s ", $1 in word ? word[$1 + 0] : "(rare)" }
    END { print "" }'
