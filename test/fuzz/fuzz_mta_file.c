/*
 * Any bytes as the queue file of a mail transport agent that is not Postfix: the first byte says whose
 * (sendmail qf, Exim -H, OpenSMTPD envelope, qmail, nullmailer; sendmail.cf, exim.conf). The reader must end
 * and say something that holds.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/queue/exim_header.h"
#include "probes/queue/sendmail_qf.h"
#include "probes/queue/small_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rcpt(void *arg, const char *address, bool done)
{
	uint64_t *n = arg;

	assert(strlen(address) < QUEUE_ADDRESS_MAX);
	n[done]++;
}

static void path(void *arg, const char *text)
{
	(void)arg;
	assert(text[0] == '/' && strlen(text) < 512);
}

static void names(struct queue_slice text)
{
	char name[64], out[64];

	queue_keep(name, sizeof(name), text);
	assert(sendmail_id_time_ms(name, 1795593524000) >= 0);
	if (exim_header_name(name))
		assert(exim_id_time_ms(name) >= 0);
	sendmail_cf_queues(text, path, NULL);
	if (exim_conf_spool(text, out, sizeof(out)))
		assert(out[0] == '/');
}

static enum queue_got parse(uint8_t kind, struct queue_slice text, const struct queue_sink *to,
			    struct queue_message *m)
{
	switch (kind) {
	case 's':
		return sendmail_qf_parse(text, true, to, m);
	case 'e':
		return exim_header_parse(text, true, to, m);
	case 'o':
		return opensmtpd_envelope_parse(text, to, m);
	case 'q':
		return qmail_parts_parse(text, true, to, m);
	case 'n':
		return nullmailer_parse(text, to, m);
	case 'r':
		qmail_client(text, m);
		return QUEUE_GOT;
	default:
		names(text);
		return QUEUE_GOT;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t n[2] = {0, 0};
	const struct queue_sink to = {.rcpt = rcpt, .arg = n};
	struct queue_message m;
	enum queue_got got;
	char *copy;

	if (!size)
		return 0;
	memset(&m, 0, sizeof(m));
	copy = malloc(size); /* of its exact size, so that a byte too far is seen */
	memcpy(copy, data + 1, size - 1);
	got = parse(data[0], (struct queue_slice){copy, size - 1}, &to, &m);
	assert(n[0] == m.todo && n[1] == m.done && m.arrival_ms >= 0);
	assert(memchr(m.sender, 0, sizeof(m.sender)) && memchr(m.client, 0, sizeof(m.client)));
	assert(memchr(m.account, 0, sizeof(m.account)) && memchr(m.host, 0, sizeof(m.host)));
	if (got == QUEUE_GOT && (data[0] == 's' || data[0] == 'e' || data[0] == 'o' || data[0] == 'n'))
		assert(m.has_sender);
	free(copy);
	return 0;
}
