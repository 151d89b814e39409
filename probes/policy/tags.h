/*
 * Records of tags, "v=DKIM1; k=rsa; p=...", as DKIM (RFC 6376 3.2) and DMARC (RFC 7489 6.4) have them. Pure,
 * foreign bytes.
 */
#ifndef PROBES_POLICY_TAGS_H
#define PROBES_POLICY_TAGS_H

#include <stdbool.h>
#include <stddef.h>

enum { POLICY_TAGS_MAX = 64 };

struct policy_tags {
	char *copy;
	struct policy_tag {
		const char *name, *value; /* white space round them taken away */
	} v[POLICY_TAGS_MAX];
	size_t n;
};

/* False: no such list, or a name twice; *why says it (static text). */
bool policy_tags_parse(const char *text, struct policy_tags *out, const char **why);
void policy_tags_fini(struct policy_tags *t);
/* NULL: not there. */
const char *policy_tag(const struct policy_tags *t, const char *name);

#endif
