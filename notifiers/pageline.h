/*
 * The lines a notifier reads (doc/contracts.md, "notifier"), as structures. Pure: foreign bytes go in, a page
 * or a reason comes out. Used by notifier.c and its fuzz target.
 */
#ifndef NOTIFIERS_PAGELINE_H
#define NOTIFIERS_PAGELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/contract/line.h"

struct cJSON;

enum { PAGE_DEADLINE_MIN = 1000, PAGE_DEADLINE_DEFAULT = 60000, PAGE_DEADLINE_MAX = 3600000 }; /* ms */

/* Fills p from the object after "page"; its strings belong to obj. False with a reason in why. p->id is set
 * (to "" at least) in any case, so that a refusal can name the page. A deadline out of range is moved into
 * it. */
bool page_from_json(struct page *p, const struct cJSON *obj, char *why, size_t size);

#endif
