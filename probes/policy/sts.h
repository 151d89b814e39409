/*
 * The policy file of MTA-STS (RFC 8461 3.2). Pure, foreign bytes.
 */
#ifndef PROBES_POLICY_STS_H
#define PROBES_POLICY_STS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STS_MX_MAX = 64, STS_FILE_MAX = 65536 };
enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	char *copy;
	enum sts_mode mode;
	int64_t max_age;
	const char *mx[STS_MX_MAX];
	size_t n;
};

/* False: *why says what is wrong (static text). */
bool sts_policy_parse(const char *text, struct sts_policy *out, const char **why);
void sts_policy_fini(struct sts_policy *p);
/* Whether the policy lets mail go to this MX: one of its patterns, "*.a.test" for one more label. */
bool sts_policy_allows(const struct sts_policy *p, const char *mx);

#endif
