/* Lines of something that calls itself a POP3 server, read as pop3/session.c does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/net/sasl.h"
#include "probes/pop3/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_line(const char *line, size_t n)
{
	uint64_t messages, octets;
	struct pop3_can can = {0};
	char text[POP3_TEXT_MAX];

	pop3_text(line, n, text, sizeof(text));
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			abort();
	if (pop3_stat(line, n, &messages, &octets) && pop3_status(line, n) != POP3_OK)
		abort();
	pop3_code(line, n, "IN-USE");
	pop3_capability(line, n, &can);
	if (can.sasl >> SASL_MECHANISMS)
		abort();
}

static void answer_challenge(const char *line, size_t n)
{
	char digest[33], greeting[100];
	struct buf out;

	buf_init(&out, SASL_ANSWER_MAX);
	for (int m = SASL_NONE; m < SASL_MECHANISMS; m++)
		sasl_answer((enum sasl)m, 0, line, n, "user", "password", &out);
	buf_fini(&out);
	snprintf(greeting, sizeof(greeting), "%.*s", (int)(n < sizeof(greeting) ? n : sizeof(greeting) - 1),
		 line);
	sasl_apop(greeting, "password", digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data, *end;

	for (; size > 0; size -= (size_t)(end - bytes), bytes = end) {
		size_t n;
		char *line;

		end = memchr(bytes, '\n', size);
		end = end ? end + 1 : bytes + size;
		n = (size_t)(end - bytes) - (end[-1] == '\n');
		line = malloc(n ? n : 1); /* so that one byte too far is seen */
		memcpy(line, bytes, n);
		read_line(line, n);
		if (n > 2 && line[0] == '+')
			answer_challenge(line + 2, n - 2);
		free(line);
	}
	return 0;
}
