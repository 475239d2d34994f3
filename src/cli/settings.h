/* settings.h: what nncc train is told, on the command line and in a file. */
#ifndef NNCC_SETTINGS_H
#define NNCC_SETTINGS_H

#include "cli/cli.h"

/* What --config and --set say, as if it were given as options, settings and the
 * model before those of the command line. What is given there holds instead. A
 * status to exit with. */
int settings_merge(Args *a);
/* The parameter of step, a scalar with a default, that a setting names: "lr",
 * or "adam.lr" where that is the optimizer; or NULL. */
const Port *settings_find(const Function *step, const char *name);
/* All of it as a file for --config: what was given, the model's settings, and
 * what could be given, as comments. */
const char *settings_text(const Args *a, const Function *step);
/* That as settings.toml in the folder of --checkpoint, if there is one; false
 * after a message. */
bool settings_keep(const Args *a, const Function *step);

#endif
