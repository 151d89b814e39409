/*
 * A check's facts as the rules and the sentences ask for them: what its probe left, what every check has
 * (state, layer, host, check) and what its history says (diag_check.past). Pure.
 */
#ifndef MONITORD_RULES_DIAGFACTS_H
#define MONITORD_RULES_DIAGFACTS_H

#include "diagnose.h"

/* False: not known, or no number. */
bool diag_number(const struct diag_check *c, const char *fact, double *out);
/* NULL: not known, or no text. */
const char *diag_word(const struct diag_check *c, const char *fact);
/* The fact for people; false: not known. as: 0 "100,003", '%' (a share) "17 %", '~' (seconds) "3 h 44 min". */
bool diag_show(const struct diag_check *c, const char *fact, char as, char *out, size_t size);
/* A time for a sentence: "11-21 03:12". */
char *diag_when(int64_t wall_ms, char *out, size_t size);

#endif
