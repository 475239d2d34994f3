/* settings.h: what nncc train is told, on the command line and in a file. */
#ifndef NNCC_SETTINGS_H
#define NNCC_SETTINGS_H

#include "cli/cli.h"

/* What --config and --set say, as if it were given as options, settings and the
 * model before those of the command line. What is given there holds instead. A
 * status to exit with. */
int settings_merge(Args *a);
typedef LIST(const char *) Names;
/* The settings that a name means, as libnn has them: "lr", "critic.lr" of one
 * `train` item of several, "adam.lr" of those with that optimizer. A setting is
 * a scalar of a step, with a default. */
void settings_find(Arena *a, const Module *m, const char *name, Names *to);
/* All names. */
void settings_list(Arena *a, const Module *m, Names *to);
/* All of it as a file for --config: what was given, the model's settings, and
 * what could be given, as comments. */
const char *settings_text(const Args *a, const Module *m);
/* That as settings.toml in the folder of --checkpoint, if there is one; false
 * after a message. */
bool settings_keep(const Args *a, const Module *m);

#endif
