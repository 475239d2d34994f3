#!/bin/sh
# embed.sh FILE.rt…: the routines as a C file with routine_text.
echo '/* Made by src/routine/embed.sh. */'
echo '#include "routine/routine.h"'
echo
echo 'const char routine_text[] ='
sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$@"
echo '    "";'
