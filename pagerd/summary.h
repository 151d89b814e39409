/*
 * How things are, in one message: counts from monitord's snapshot, pagerd's own incidents, and for the daily
 * summary the lines. Reads a file; called by answers.c (STATUS) and prover.c (all well).
 */
#ifndef PAGERD_SUMMARY_H
#define PAGERD_SUMMARY_H

#include "pagerd/rules/answer_text.h"
#include "state.h"

/* Open incidents that somebody is to know of, worst first, `of` their place in p->inc; a new array. */
struct answer_item *summary_items(const struct pager *p, size_t *n);
/* The answer to STATUS, with those items. True: nothing is wrong. */
bool summary_status(const struct pager *p, const struct answer_item *v, size_t n, bool ja,
		    char out[ANSWER_OUT_MAX]);
/* The daily summary. */
void summary_day(const struct pager *p, bool ja, char out[ANSWER_OUT_MAX]);
/* "19:44", with the date when that was another day. Local time; out at least 20 bytes. */
const char *summary_time(int64_t wall_ms, char *out, size_t size);

#endif
