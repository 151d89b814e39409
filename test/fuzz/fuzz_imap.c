/* Answers of something that calls itself an IMAP server, cut up and read as imap_session does. */
#include <stdlib.h>
#include <string.h>

#include "probes/imap/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const char *reply, size_t len)
{
	uint32_t uids[4], n;
	size_t found = 0, total = 0;
	struct imap_fetched f;
	struct imap_quota q = {0};
	char text[IMAP_TEXT_MAX];
	bool has = false;

	imap_reply_status(reply, len, "M1");
	imap_reply_text(reply, len, text, sizeof(text));
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			abort();
	imap_reply_exists(reply, len, &n);
	imap_reply_code(reply, len, "UIDNEXT", &n);
	imap_reply_capability(reply, len, "UIDPLUS", &has);
	imap_reply_search(reply, len, uids, 4, &found, &total);
	if (found > 4 || found > total)
		abort();
	imap_reply_quota(reply, len, &q);
	if (q.found && strnlen(q.resource, sizeof(q.resource)) == sizeof(q.resource))
		abort();
	if (imap_reply_fetch(reply, len, &f) && f.header && (f.header < reply || f.header + f.header_len > reply + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	long n;

	while (size && (n = imap_reply_length(bytes, size)) > 0) {
		char *reply = malloc((size_t)n); /* so that one byte too far is seen */

		if ((size_t)n > size)
			abort();
		memcpy(reply, bytes, (size_t)n);
		read_one(reply, (size_t)n);
		free(reply);
		bytes += n;
		size -= (size_t)n;
	}
	read_one(bytes, size);
	return 0;
}
