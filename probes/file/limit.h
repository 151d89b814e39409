/*
 * Limits of the file probe, as monitoring-plugins' check_file_age has them: bare numbers are the most age and
 * the least size; as soon as one of the four is written as a range, all are ranges. Pure.
 */
#ifndef PROBES_FILE_LIMIT_H
#define PROBES_FILE_LIMIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/config/units.h"

enum { LIMIT_AGE_W, LIMIT_AGE_C, LIMIT_SIZE_W, LIMIT_SIZE_C, LIMITS };

/* text: NULL where not given (never alerts). Ages 90, 5m; sizes 10, 64K. False, the index of the bad one and
 * a reason. */
bool file_limits(const char *const text[LIMITS], struct range out[LIMITS], int *bad, const char **why);
/* "640" or "0640"; false when it is none. */
bool file_mode(const char *text, mode_t *out);

#endif
