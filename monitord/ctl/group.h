/*
 * Choosing checks by the groups they are in (`--group PATTERN`, as the shell has patterns).
 */
#ifndef MONITORD_CTL_GROUP_H
#define MONITORD_CTL_GROUP_H

#include <stdbool.h>

struct cJSON;
struct ctl;

/* check: an element of monitord's "checks". */
bool ctl_in_group(const struct cJSON *check, const char *pattern);
/* Leaves only what is of that group: checks of monitord's snapshot, and incidents of these checks of pagerd's
 * (may be NULL). How many checks are left. */
int ctl_keep_group(struct cJSON *monitord, struct cJSON *pagerd, const char *pattern);
/* monitord's snapshot with only the checks of the group that the command line names. NULL: nobody answers, or there is no
 * such group; it was said, and *rc is monitorctl's exit code. */
struct cJSON *ctl_group_checks(const struct ctl *ctl, int *rc);
/* Says that no check of m is in the group, and which was meant. */
void ctl_no_group(const struct cJSON *m, const char *pattern);
/* Leaves only what is about checks of m, at most max of them: elements of answer's list. How many are left. */
int ctl_keep_list(const struct cJSON *m, struct cJSON *answer, const char *list, long max);

#endif
