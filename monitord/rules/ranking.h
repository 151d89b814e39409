/*
 * Which of several incidents goes first, and why: a cause before what it can cause (the higher rank, when the
 * checks of the lower are among those it explains); of others the one that explains more of the checks in
 * trouble, then the higher rank, then the one that began first. Pure. Called by diagnose.c.
 */
#ifndef MONITORD_RULES_RANKING_H
#define MONITORD_RULES_RANKING_H

#include "diagnose.h"

/* A word of a list parted by blanks. */
bool ranking_listed(const char *list, const char *word);
/* The same host, a parent or depends_on of the other; any when the rule is of the whole site. */
bool ranking_related(const struct diag_rule *r, const struct diag_check *a, const struct diag_check *b);
/* Counts for d which of the n checks are in trouble, and which of those it explains. */
void ranking_count(struct diag_name *d, const struct diag_check *v, size_t n);
/* Sorts, and says in each one's `why` what put it there. */
void ranking_sort(struct diag_name *d, size_t n);

#endif
