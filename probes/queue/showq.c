/* The parser of showq's answer, see showq.h; pure. Called by showq_ask.c. */
#include "showq.h"

#include <string.h>

static void attribute(struct showq *q)
{
	const struct queue_slice text = {q->text, strlen(q->text)};

	if (!strcmp(q->name, "queue_name")) {
		queue_keep(q->queue, sizeof(q->queue), text);
	} else if (!strcmp(q->name, "time")) {
		q->m.arrival_ms = queue_seconds(text);
	} else if (!strcmp(q->name, "sender")) {
		q->m.has_sender = true;
		/* how it words the null sender */
		if (strcmp(q->text, "MAILER-DAEMON") != 0)
			queue_keep(q->m.sender, sizeof(q->m.sender), text);
	} else if (!strcmp(q->name, "recipient")) {
		queue_rcpt(&q->sink, &q->m, text, false);
	} else if (!strcmp(q->name, "protocol") && strcmp(q->text, "mail_queue_list_protocol") != 0) {
		q->state = SHOWQ_FOREIGN;
	}
}

static void record_end(struct showq *q)
{
	if (!q->any)
		q->state = SHOWQ_DONE;
	else if (q->queue[0] && q->m.has_sender)
		q->message(q->arg, q->queue, &q->m);
	q->any = false;
	q->queue[0] = '\0';
	memset(&q->m, 0, sizeof(q->m));
}

static void string(struct showq *q)
{
	bool value = q->value;

	q->text[q->len < sizeof(q->text) ? q->len : sizeof(q->text) - 1] = '\0';
	q->value = false;
	if (value) {
		attribute(q);
	} else if (!q->len) {
		record_end(q);
	} else if (!q->begun && strcmp(q->text, "protocol") != 0 && strcmp(q->text, "queue_name") != 0) {
		q->state = SHOWQ_FOREIGN;
	} else {
		queue_keep(q->name, sizeof(q->name), (struct queue_slice){q->text, strlen(q->text)});
		q->begun = q->any = q->value = true;
	}
	q->len = 0;
}

enum showq_state showq_feed(struct showq *q, const char *data, size_t n)
{
	for (size_t i = 0; i < n && q->state == SHOWQ_GOES_ON; i++) {
		if (!data[i]) {
			string(q);
			continue;
		}
		if (q->len < sizeof(q->text) - 1)
			q->text[q->len] = data[i];
		if (++q->len > SHOWQ_STRING_MAX)
			q->state = SHOWQ_FOREIGN;
	}
	return q->state;
}
