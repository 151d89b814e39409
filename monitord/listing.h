/*
 * `monitord -t --list`: what a configuration expands to, one line a check.
 */
#ifndef MONITORD_LISTING_H
#define MONITORD_LISTING_H

#include <stdio.h>

#include "lib/config/config.h"

/* Name, probe, host ("-": none), interval, file:line; columns are at least two blanks apart. */
void listing_print(const struct config *conf, FILE *out);

#endif
