/* Any bytes as the answer of Postfix' showq, in pieces whose sizes they choose: strings stay within their
 * room, the end is said once. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "probes/queue/showq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(void *arg, const char *queue, const struct queue_message *m)
{
	assert(queue[0] && strlen(queue) < QUEUE_NAME_MAX && m->has_sender && m->arrival_ms >= 0);
	assert(memchr(m->sender, 0, sizeof(m->sender)));
	++*(unsigned *)arg;
}

static void rcpt(void *arg, const char *address, bool done)
{
	(void)arg;
	assert(strlen(address) < QUEUE_ADDRESS_MAX && !done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned messages = 0;
	struct showq q = {.message = message, .sink = {.rcpt = rcpt}, .arg = &messages};
	size_t piece = size ? data[0] % 31 + 1u : 1;

	for (size_t at = size ? 1 : 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (showq_feed(&q, (const char *)data + at, n) != SHOWQ_GOES_ON)
			break;
	}
	assert(q.len <= SHOWQ_STRING_MAX + 1 && messages <= size);
	return 0;
}
