/*
 * The header of a mail that came back: Received lines that any relay wrote, and a token that anybody may have forged.
 * Beyond not crashing: whatever is returned is bounded and printable, and nothing but the real HMAC is ever taken for ours.
 */
#include <stdlib.h>
#include <string.h>

#include "probes/roundtrip/received.h"
#include "probes/roundtrip/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	size_t n = strlen(name);

	if (n >= RECEIVED_NAME_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (name[i] < '-' || name[i] > 'z')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* an exact copy, so that one byte too far is seen */
	char *header = malloc(size ? size : 1);
	const char *value;
	size_t pos = 0, len;
	struct received r;
	struct token t;
	int64_t ms;

	memcpy(header, data, size);
	received_parse(header, size, 1795256600000, &r);
	if (r.n > RECEIVED_HOPS_MAX || r.slowest >= (int)r.n)
		abort();
	for (size_t i = 0; i < r.n; i++) {
		check_name(r.hop[i].by);
		check_name(r.hop[i].from);
		if (r.hop[i].has_delay && r.hop[i].delay_ms < 0 && !r.hop[i].skew)
			abort();
	}
	received_bound(&r, 60000);
	for (size_t i = 0; i < r.n; i++)
		if (r.hop[i].has_delay && !r.hop[i].skew && r.hop[i].delay_ms > 60000)
			abort();
	if (received_date(header, size, &ms) && (ms < -86400000 || ms > INT64_C(253402387200000)))
		abort();
	while (header_next(header, size, TOKEN_HEADER, &pos, &value, &len))
		if (token_verify("not in the corpus", 17, "mx1", value, len, &t) == TOKEN_OURS)
			abort();
	free(header);
	return 0;
}
