/*
 * DKIM keys and DMARC records as any domain may publish them: lists of tags, and the key in tag p. Beyond not
 * crashing: what is found is bounded, and an RSA key that was taken has bits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/policy/key.h"
#include "probes/policy/sts.h"
#include "probes/policy/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct policy_tags t;
	struct sts_policy sts;
	const char *why = "";
	int bits;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (policy_tags_parse(text, &t, &why)) {
		const char *p = policy_tag(&t, "p");

		if (t.n > POLICY_TAGS_MAX)
			abort();
		if (p && dkim_key_read(p, policy_tag(&t, "k"), &bits, &why) == DKIM_KEY_RSA && bits <= 0)
			abort();
	} else if (!*why) {
		abort();
	}
	policy_tags_fini(&t);
	if (sts_policy_parse(text, &sts, &why) && (sts.n > STS_MX_MAX || sts.max_age < 0))
		abort();
	sts_policy_allows(&sts, "mx.lab.test");
	sts_policy_fini(&sts);
	free(text);
	return 0;
}
