/* manual.h: texts that are made of the commands' tables. own is nncc itself. */
#ifndef NNCC_MANUAL_H
#define NNCC_MANUAL_H

#include "cli/cli.h"

/* nncc(1), for man. */
void manual_page(const Command *own, const Command *const *c, int n, FILE *to);
/* Scripts for shells. */
void completion_bash(const Command *own, const Command *const *c, int n,
                     FILE *to);
void completion_zsh(const Command *own, const Command *const *c, int n,
                    FILE *to);

#endif
