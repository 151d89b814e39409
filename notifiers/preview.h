/*
 * What a page would look like on a line (`notify_X --preview`), without touching the line. For notifier.c and
 * the notifiers' own preview functions.
 */
#ifndef NOTIFIERS_PREVIEW_H
#define NOTIFIERS_PREVIEW_H

#include <stdbool.h>
#include <stddef.h>

struct notifier;
struct page;
struct cJSON;

struct preview {
	char *shows;	/* what the person sees or hears; malloced, NULL: nothing can be shown */
	size_t units;	/* what it is long, in what the line counts */
	size_t max;	/* how long it may be; 0: as long as it likes */
	unsigned parts; /* messages it takes; 0: the line knows no parts */
	char note[200]; /* what else is worth knowing; "": nothing */
};

/* The answer of doc/contracts.md, owned by the caller. */
struct cJSON *preview_answer(const struct notifier *n, const void *conf, const struct page *p);

#endif
