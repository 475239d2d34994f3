/* runs_here.c: runs_here CPU: ends with 0 if code for this CPU runs here. */
#include "harness.h"

int main(int argc, char **argv) { return argc != 2 || !runs_here(argv[1]); }
