#!/bin/sh
# embed.sh FILE.nn…: the standard library as a C file with std_source().
echo '/* Made by src/std/embed.sh. */'
echo '#include "std/std.h"'
echo
echo '#include <string.h>'
for f in "$@"; do
    name=$(basename "$f" .nn)
    echo
    echo "static const char text_$name[] ="
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$f"
    echo '    "";'
done
echo
echo 'static const struct {'
echo '    const char *name, *text;'
echo '    size_t len;'
echo '} files[] = {'
for f in "$@"; do
    name=$(basename "$f" .nn)
    echo "    {\"$name\", text_$name, sizeof text_$name - 1},"
done
cat <<'END'
};

const char *std_name(int i)
{
    return i < (int)(sizeof files / sizeof *files) ? files[i].name : NULL;
}

const char *std_source(const char *name, size_t *len)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].name, name) == 0) {
            *len = files[i].len;
            return files[i].text;
        }
    }
    return NULL;
}
END
