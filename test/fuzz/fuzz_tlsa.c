/*
 * TLSA records as a resolver hands them over, beside whatever a server shows as certificates: two bytes say how long the record
 * is, two how long the first certificate, the rest is a second one. Beyond not crashing: what is unusable matches nothing, and a
 * match of usage 3 is of the first certificate alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/net/tls_trust.h"
#include "probes/tlsa/chain.h"
#include "probes/tlsa/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t take(const uint8_t **p, size_t *left)
{
	size_t n;

	if (*left < 2)
		return 0;
	n = (size_t)((*p)[0] << 8 | (*p)[1]);
	*p += 2;
	*left -= 2;
	return n < *left ? n : *left;
}

static void show(struct tls_shown *s, const uint8_t *bytes, size_t n)
{
	s->v[s->n].der = (unsigned char *)bytes;
	s->v[s->n++].len = (int)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"mx.dane.test", "dane.test"};
	const uint8_t *record;
	struct tls_shown shown = {0}, second = {0};
	struct tlsa_record t;
	size_t len = take(&data, &size), n;

	record = data;
	data += len;
	size -= len;
	n = take(&data, &size);
	show(&shown, data, n);
	show(&shown, data + n, size - n);
	show(&second, data + n, size - n);
	tlsa_not_after(&shown);
	if (!tlsa_read(record, len, &t)) {
		if (len >= 4)
			abort();
		return 0;
	}
	bool usable = t.verdict != TLSA_UNUSABLE;
	tlsa_hold(&t, &shown, names, 2, 1790000000);
	if (!usable != (t.verdict == TLSA_UNUSABLE) || (!usable && !t.why[0]))
		abort();
	if (t.usage == TLSA_EE && t.verdict == TLSA_MATCH && n == 0)
		abort();
	tlsa_hold(&t, &second, names, 2, 1790000000);
	return 0;
}
