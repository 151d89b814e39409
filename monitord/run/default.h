/*
 * The embedded default configuration of `make run`: checks of this very host, pages to the
 * built-in simulated modem unless a real one and a number are given.
 */
#ifndef MONITORD_RUN_DEFAULT_H
#define MONITORD_RUN_DEFAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

struct run_default {
	const char *dir;    /* where all state goes */
	const char *device; /* a modem's device, or NULL: simulated */
	const char *phone;  /* the number, or NULL: a made-up one */
};

/* What DEVICE and PHONE say makes sense: a device needs a number, must be there and may be opened. False and
 * why, with the modems that are there. */
bool run_default_modem(const struct run_default *d, char *why, size_t size);
/* Writes the YAML to yaml, and to said, a line each, what is watched and what is not and why. */
void run_default_config(const struct run_default *d, struct buf *yaml, struct buf *said);

#endif
