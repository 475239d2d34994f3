# pairs.awk LIST TEXT: pairs of words at most 4 apart, as CSV of their numbers; the 301 most
# frequent words go to the file LIST, by frequency, all others count as number 301.
BEGIN {
    list = ARGV[1]
    ARGV[1] = ""
}
{
    text = tolower($0)
    gsub(/[^a-z]+/, " ", text)
    m = split(text, w, " ")
    for (i = 1; i <= m; i++) {
        word[n++] = w[i]
        count[w[i]]++
    }
}
END {
    for (k = 0; k < 301; k++) {
        best = ""
        for (x in count)
            if (!(x in number) && (best == "" || count[x] > count[best] || \
                                   (count[x] == count[best] && x < best)))
                best = x
        number[best] = k
        print best >list
    }
    print "word,near"
    for (i = 0; i < n; i++)
        for (j = i - 4; j <= i + 4; j++)
            if (j >= 0 && j < n && j != i && (word[i] in number))
                print number[word[i]] "," ((word[j] in number) ? number[word[j]] : 301)
}
