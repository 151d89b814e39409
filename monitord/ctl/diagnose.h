/*
 * monitorctl diagnose: the incidents that monitord recognises in what its checks last found, the likeliest
 * cause first, with the evidence; and the same in one line each above `status`.
 */
#ifndef MONITORD_CTL_DIAGNOSE_H
#define MONITORD_CTL_DIAGNOSE_H

#include <stdbool.h>

struct buf;
struct cJSON;
struct ctl;

int ctl_do_diagnose(struct ctl *ctl);
/* Of monitord's snapshot, or NULL. full: with evidence, and "not recognised" when nothing is; else a line
 * each. */
void ctl_show_diagnosis(const struct cJSON *monitord, bool full, struct buf *out);

#endif
