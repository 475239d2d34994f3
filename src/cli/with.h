/* with.h: --with: what was trained becomes part of what is compiled. */
#ifndef NNCC_WITH_H
#define NNCC_WITH_H

#include "cli/cli.h"

/* For each --with=[NAME=]FILE: parameters whose values the file has (all
 * arrays, of their shapes) become constants of the functions that only read
 * them; `init` gives them; where the training's features were scaled or
 * standardised, functions take them as they are in the data's file; the module
 * knows their columns and classes. False after a message. */
bool with_apply(const Args *a, Load *l);

#endif
