/*
 * A POP3 answer of many lines, cut into two pieces anywhere, and the line that names a message. Beyond not
 * crashing: the pieces say what the whole does, nothing is taken behind the end, and what is kept is at most
 * what was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "probes/pop3/block.h"
#include "probes/pop3/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEEP = 512 };

static struct pop3_block take(const char *bytes, size_t n, size_t cut, char *out)
{
	struct pop3_block b = {.out = out, .max = KEEP};
	char *first = malloc(cut ? cut : 1), *second = malloc(n - cut ? n - cut : 1);
	size_t taken;

	/* exact copies, so that one byte too far is seen */
	memcpy(first, bytes, cut);
	memcpy(second, bytes + cut, n - cut);
	taken = pop3_block_take(&b, first, cut);
	taken += taken == cut ? pop3_block_take(&b, second, n - cut) : 0;
	if (taken > n || taken != b.all || (!b.done && taken != n) || b.len > KEEP || b.len > taken)
		abort();
	free(first);
	free(second);
	return b;
}

static void uid(const char *bytes, size_t n)
{
	char *line = malloc(n ? n : 1), text[POP3_UIDL_MAX + 1];
	size_t len;

	memcpy(line, bytes, n);
	if (pop3_uid(line, n, 1, text)) {
		len = strnlen(text, sizeof(text));
		if (len == 0 || len > POP3_UIDL_MAX)
			abort();
		for (size_t i = 0; i < len; i++)
			if (text[i] <= ' ' || text[i] > '~')
				abort();
	}
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *whole = malloc(KEEP), *parts = malloc(KEEP);
	size_t cut = size ? data[0] % size : 0;
	const char *bytes = (const char *)data + (size ? 1 : 0);
	size_t n = size ? size - 1 : 0;
	struct pop3_block a = take(bytes, n, 0, whole), b = take(bytes, n, cut < n ? cut : n, parts);

	if (a.len != b.len || a.all != b.all || a.done != b.done || memcmp(whole, parts, a.len) != 0)
		abort();
	uid(bytes, n);
	free(whole);
	free(parts);
	return 0;
}
