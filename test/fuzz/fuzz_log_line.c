/*
 * A line of a mail log, in an exact copy so that one byte too far is seen: every text that comes out lies
 * within the line, and counting it holds. The formats are reached through their programs' names.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/log/count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct log_span s, const char *line, size_t n)
{
	if (s.s && (s.s < line || s.s + s.n > line + n))
		abort();
}

static void parse(const char *line, size_t n)
{
	struct log_event e;

	if (!log_line_parse(line, n, &e))
		return;
	within(e.client, line, n);
	within(e.sasl, line, n);
	within(e.uid, line, n);
	within(e.sender, line, n);
	within(e.rcpt, line, n);
	within(e.text, line, n);
	within(e.id, line, n);
	if (e.times < 1)
		abort();
	within(log_domain(e.rcpt), line, n);
	if (e.text.s) {
		within(log_listed_by(e.text.s, e.text.n), line, n);
		within(log_spf_address(e.text.s, e.text.n), line, n);
	}
}

/* The rest behind each program's name too, as the fuzzer is slow to find one. */
static void each(struct log_counts *c, const uint8_t *data, size_t size)
{
	static const char *const heads[] = {"",
					    "Nov 21 03:12:45 mx1 postfix/smtpd[1]: ",
					    "2026-11-21T03:12:45.123456+09:00 mx1 sm-mta[1]: ",
					    "2026-11-21 03:12:45 ",
					    "Nov 21 03:12:45 mx1 dovecot: ",
					    "Nov 21 03:12:45 mx1 smtpd[1]: ",
					    "Nov 21 03:12:45 imap-login: Info: ",
					    "2026-11-21 03:12:45 lmtp(joe)<1><a>: Info: ",
					    "Nov 21 03:12:45 mx1 exim[7]: [1/2] 2026-11-25 13:30:07 ",
					    "Nov 21 03:12:45 mx1 postfix/cleanup[1]: warning: "};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t n = strlen(heads[i]);
		char *line = malloc(n + size + 1);

		if (!line)
			return;
		memcpy(line, heads[i], n);
		if (size)
			memcpy(line + n, data, size);
		line = realloc(line, n + size ? n + size : 1);
		parse(line, n + size);
		log_counts_line(c, line, n + size);
		log_counts_line(c, line, n + size); /* what may come twice */
		free(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_counts *c = log_counts_new(NULL);

	if (c)
		each(c, data, size);
	if (c && size)
		log_counts_line(c, (const char *)data, size);
	log_counts_free(c);
	return 0;
}
