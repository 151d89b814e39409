/*
 * The parent's pipe. Private to the framework; notifiers use what notifier.h offers.
 */
#ifndef NOTIFIERS_NOTIFIER_OUT_H
#define NOTIFIERS_NOTIFIER_OUT_H

#include <stdbool.h>

#include "lib/json.h"

/* Keeps the pipe to ourselves: what a library prints on stdout goes to stderr from now on. */
void out_own(void);
/* Writes v as one line and frees it. Blocks while the parent does not read. */
void out_say(cJSON *v);
/* The parent does not read any more. */
bool out_gone(void);

#endif
