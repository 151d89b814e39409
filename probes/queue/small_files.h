/* The queue files of OpenSMTPD (envelopes), qmail (info, local, remote, todo) and nullmailer: short texts
 * all. Pure. */
#ifndef PROBES_QUEUE_SMALL_FILES_H
#define PROBES_QUEUE_SMALL_FILES_H

#include "message.h"

/* OpenSMTPD: "key: value" lines, one file a recipient. Adds to m: a message has several. FOREIGN when it is
 * compressed or encrypted, or of another version. */
enum queue_got opensmtpd_envelope_parse(struct queue_slice text, const struct queue_sink *to,
					struct queue_message *m);
/* qmail: parts that end with a NUL, each with its letter: F sender, T recipient to do, D done, u and p of
 * todo. */
enum queue_got qmail_parts_parse(struct queue_slice text, bool whole, const struct queue_sink *to,
				 struct queue_message *m);
/* qmail: who brought it, out of the Received header that qmail-smtpd wrote into the message. */
void qmail_client(struct queue_slice text, struct queue_message *m);
/* nullmailer: sender, recipients, an empty line, each a line. */
enum queue_got nullmailer_parse(struct queue_slice text, const struct queue_sink *to,
				struct queue_message *m);

#endif
