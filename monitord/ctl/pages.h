/*
 * Incidents and pages of pagerd's answers in words: who was told what, by which line,
 * and above all what has not reached anybody yet. Pure: from JSON to a buffer.
 */
#ifndef MONITORD_CTL_PAGES_H
#define MONITORD_CTL_PAGES_H

#include "text.h"

/* new, acknowledged or suppressed: a problem that lasts. */
bool ctl_incident_is_open(const struct cJSON *incident);
/* Some page of it has neither arrived nor been overtaken. */
bool ctl_incident_has_undone(const struct cJSON *incident);
/* One page without a newline: "oncall paged 5 s ago by modem (+8190...)". now NULL: without the time. */
void ctl_page_words(const struct cJSON *page, const struct stamp *now, struct buf *out);
/* A line for each contact's last page that arrived, and for each page that did not. */
void ctl_pages_now(const struct cJSON *incident, int indent, const struct ctl_style *style,
		   const struct stamp *now, struct buf *out);
/* The answer of pagerd's "history": each incident with all its pages, newest last. Returns how
 * many there were. */
int ctl_show_incidents(const struct cJSON *answer, const struct ctl_style *style, const struct stamp *now,
		       struct buf *out);

#endif
