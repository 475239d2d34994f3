/* manual.c: the manual page and what shells complete command lines with, all
 * from the tables that the commands themselves go by. */

#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

/* The manual page */

/* Text of which nothing is a request or an escape. */
static void print_roff(const char *text, FILE *to)
{
    bool begins = true;

    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", to);
        begins = *text == '\n';
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            fputc(*text, to);
    }
}

static void print_line(const char *before, const char *text, const char *after,
                       FILE *to)
{
    fputs(before, to);
    print_roff(text, to);
    fputs(after, to);
}

static void print_options(const Command *c, FILE *to)
{
    for (const Option *o = c->option; o->name; o++) {
        if (!o->help)
            continue;
        fputs(".TP\n\\fB", to);
        if (option_letter(o))
            fprintf(to, "\\-%c\\fR, \\fB", option_letter(o));
        print_line("\\-\\-", o->name, "\\fR", to);
        if (o->meta)
            print_line("=\\fI", o->meta, "\\fR", to);
        print_line("\n", o->help, "\n", to);
    }
}

static void print_command(const Command *c, FILE *to)
{
    print_line(".SS nncc ", c->usage, "\n", to);
    print_line("", c->about, "\n", to);
    print_options(c, to);
}

void manual_page(const Command *own, const Command *const *c, int n, FILE *to)
{
    fprintf(to,
            ".TH NNCC 1 \"\" \"nncc %s\" \"User Commands\"\n.SH NAME\n"
            "nncc \\- compile differentiable models to native code\n"
            ".SH SYNOPSIS\n",
            NNCC_VERSION);
    print_line("\\fBnncc\\fR ", own->usage, "\n", to);
    for (int i = 0; i < n; i++)
        print_line(".br\n\\fBnncc\\fR ", c[i]->usage, "\n", to);
    print_line(".SH DESCRIPTION\n", own->about, "\n.SH OPTIONS\n", to);
    print_options(own, to);
    fputs(".SH COMMANDS\n", to);
    for (int i = 0; i < n; i++)
        print_command(c[i], to);
    fputs(".SH EXIT STATUS\n0; 1, the program, its data or the machine is at "
          "fault; 2, the command line is.\n"
          ".SH ENVIRONMENT\n.TP\n.B NNCC_CPU\nthe CPU that \\fBnative\\fR "
          "means, instead of that of this machine\n"
          ".TP\n.B NNCC_CACHE\nthe folder where compiled code is kept, instead "
          "of \\fI$XDG_CACHE_HOME/nncc\\fR or \\fI~/.cache/nncc\\fR; "
          "\\fBoff\\fR: none is\n"
          ".TP\n.B OMPI_COMM_WORLD_SIZE\\fR, \\fBPMI_SIZE\\fR, "
          "\\fBPMIX_RANK\nset by mpirun or srun: \\fBnncc train\\fR is then "
          "one of "
          "several processes that train together\n"
          ".TP\n.B NNCC_RANKS_WAIT\nhow many seconds such processes wait for "
          "one that does not answer (600)\n"
          ".TP\n.B TMPDIR\nwhere files are put that are needed for a while\n"
          ".SH SEE ALSO\n.BR libnn (3)\n",
          to);
}

/* Completion */

/* "f32|f64": words to choose from. */
static bool is_choice(const Option *o)
{
    bool bar = false;

    for (const char *at = o->meta; at && *at; at++) {
        if (*at != '|' && !islower((unsigned char)*at) &&
            !isdigit((unsigned char)*at))
            return false;
        bar |= *at == '|';
    }
    return bar;
}

static void print_choice(const char *meta, char between, FILE *to)
{
    for (; *meta; meta++)
        fputc(*meta == '|' ? between : *meta, to);
}

static void bash_options(const Command *c, FILE *to)
{
    fprintf(to, "    %s)\n        options='--help", *c->name ? c->name : "*");
    for (const Option *o = c->option; o->name; o++)
        fprintf(to, " --%s%s", o->name, o->meta ? "=" : "");
    fputs("' ;;\n", to);
}

static void bash_choices(const Command *c, FILE *to)
{
    for (const Option *o = c->option; o->name; o++)
        if (is_choice(o)) {
            fprintf(to, "    '%s --%s') values='", c->name, o->name);
            print_choice(o->meta, ' ', to);
            fputs("' ;;\n", to);
        }
}

static void bash_commands(const Command *const *c, int n, const char *between,
                          FILE *to)
{
    for (int i = 0; i < n; i++)
        fprintf(to, "%s%s", i ? between : "", c[i]->name);
}

/* Of the words that are there: options, their values, commands, functions of
 * the model, files. "--data=x" is three words there. */
void completion_bash(const Command *own, const Command *const *c, int n,
                     FILE *to)
{
    fputs("# nncc(1) completion for bash; made by nncc --completion=bash\n"
          "_nncc() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} "
          "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} options values=\n"
          "    if [[ $cur == = ]]; then\n        cur=\n"
          "    elif [[ $prev == = ]]; then\n"
          "        prev=${COMP_WORDS[COMP_CWORD-2]}\n    fi\n"
          "    case $command in\n    ",
          to);
    bash_commands(c, n, " | ", to);
    fputs(") ;;\n    *) command= ;;\n    esac\n    case $command in\n", to);
    for (int i = 0; i < n; i++)
        bash_options(c[i], to);
    bash_options(own, to);
    fputs("    esac\n    case \"$command $prev\" in\n", to);
    for (int i = 0; i < n; i++)
        bash_choices(c[i], to);
    bash_choices(own, to);
    fputs("    esac\n    COMPREPLY=()\n"
          "    if [[ $values ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
          "    elif [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "        if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; "
          "then compopt -o nospace 2>/dev/null; fi\n"
          "    elif [[ $COMP_CWORD == 1 ]]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          to);
    bash_commands(c, n, " ", to);
    fputs("\" -- \"$cur\") $(compgen -f -X '!*.nn' -- \"$cur\"))\n"
          "    elif [[ $command && $COMP_CWORD == 2 ]]; then\n"
          "        COMPREPLY=($(compgen -f -X '!*.nn' -- \"$cur\"))\n"
          "    elif [[ $command && $COMP_CWORD == 3 && -f ${COMP_WORDS[2]} ]]; "
          "then\n"
          "        COMPREPLY=($(compgen -W \"$(sed -n "
          "'s/^fn  *\\([A-Za-z_0-9]*\\).*/\\1/p' \"${COMP_WORDS[2]}\")\" -- "
          "\"$cur\"))\n"
          "    fi\n} && complete -o default -F _nncc nncc\n",
          to);
}

/* In zsh's descriptions brackets, colons and quotes mean something. */
static void print_zsh(const char *text, FILE *to)
{
    for (; *text; text++)
        if (*text == '\n')
            fputc(' ', to);
        else if (*text == '\'')
            fputs("'\\''", to);
        else if (strchr("[]:\\", *text))
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
}

static void zsh_option(const Option *o, FILE *to)
{
    fprintf(to, "            '*--%s%s[", o->name, o->meta ? "=" : "");
    print_zsh(o->help ? o->help : o->name, to);
    fputc(']', to);
    if (is_choice(o)) {
        fprintf(to, ":value:(");
        print_choice(o->meta, ' ', to);
        fputc(')', to);
    } else if (o->meta) {
        fputc(':', to);
        print_zsh(o->meta, to);
        fputs(":_files", to);
    }
    fputs("' \\\n", to);
}

static void zsh_command(const Command *c, FILE *to)
{
    fprintf(to, "    %s)\n        _arguments -S \\\n",
            *c->name ? c->name : "*");
    for (const Option *o = c->option; o->name; o++)
        zsh_option(o, to);
    fputs("            '--help[print this]' '*:file:_files' ;;\n", to);
}

void completion_zsh(const Command *own, const Command *const *c, int n,
                    FILE *to)
{
    fputs("#compdef nncc\n# made by nncc --completion=zsh\nif (( CURRENT == 2 "
          ")) && [[ $words[2] != -* ]]; then\n    local -a commands=(\n",
          to);
    for (int i = 0; i < n; i++) {
        fprintf(to, "        '%s:", c[i]->name);
        print_zsh(c[i]->usage, to);
        fputs("'\n", to);
    }
    fputs("    )\n    _describe command commands\n    _files -g '*.nn'\n"
          "    return\nfi\ncase $words[2] in\n",
          to);
    for (int i = 0; i < n; i++)
        zsh_command(c[i], to);
    zsh_command(own, to);
    fputs("esac\n", to);
}
