/*
 * The days that a certificate has left, and option certificate = DAYS[,DAYS]: for every probe that may see a
 * certificate. Counted as monitoring-plugins' -D does. Pure.
 */
#ifndef PROBES_NET_CERT_DAYS_H
#define PROBES_NET_CERT_DAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/complaint.h"
#include "lib/contract/result.h"

/* "30,14": days. Without a second one critical is 0. False when unset or nonsense. */
bool cert_days_parse(const char *text, int64_t *warn, int64_t *crit);
/* Complains of nonsense; NULL is none. */
void cert_days_check(const char *text, const char *item, struct complaints *c);
/* Whole days left, rounded down: -1 means ended within the last day. Seconds since 1970. */
int64_t cert_days_left(int64_t not_after, int64_t now);
/* So many days or fewer; an ended one is CRITICAL. OK when text is unset. p, when it is there, gets the
 * limits. */
enum nag_state cert_days_judge(const char *text, int64_t days, struct perf *p);
/* "ends in 12 d", "ended 3 d ago". Returns out. */
char *cert_days_say(int64_t days, char *out, size_t size);

#endif
