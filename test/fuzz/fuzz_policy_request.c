/*
 * What a policy client sends, in pieces of any size: bounded, printable, the same whatever the pieces; and
 * the counts as the probe reads them.
 */
#include <stdlib.h>
#include <string.h>

#include "probes/rate/counts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *s)
{
	size_t n = strnlen(s, ORIGIN_NAME_MAX);

	if (n == ORIGIN_NAME_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			abort();
}

/* How many requests there were, and where it ended. */
static int run(const char *data, size_t size, size_t piece, enum policy_step *last)
{
	struct policy_request r;
	int done = 0;

	policy_request_begin(&r);
	*last = POLICY_MORE;
	for (size_t at = 0, used; at < size; at += used) {
		size_t n = size - at < piece ? size - at : piece;
		*last = policy_request_feed(&r, data + at, n, &used);
		if (used == 0 || used > n || r.bytes > POLICY_REQUEST_MAX + 1 || r.len >= POLICY_LINE_MAX)
			abort();
		check_name(r.client);
		check_name(r.sasl);
		check_name(r.uid);
		check_name(r.instance);
		if (*last == POLICY_BAD)
			break;
		if (*last == POLICY_DONE) {
			done++;
			policy_request_begin(&r);
		}
	}
	return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rate_counts counts;
	enum policy_step a, b;
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (run(text, size, size ? size : 1, &a) != run(text, size, 3, &b))
		abort();
	if (rate_parse(text, size, &counts) && counts.n[0] > POLICY_TOLD)
		abort();
	free(text);
	return 0;
}
