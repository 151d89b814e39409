/* What the parts of the round trip share: check_roundtrip.c runs, rt_look.c searches and settles, rt_send.c sends. */
#ifndef PROBES_ROUNDTRIP_H
#define PROBES_ROUNDTRIP_H

#include "imap_session.h"
#include "probe.h"
#include "rt_report.h"

struct roundtrip_conf {
	char *smtp_host;
	int64_t smtp_port;
	int smtp_tls; /* enum rt_smtp_tls */
	char *smtp_ca_file;
	bool smtp_verify;
	char *smtp_user, *smtp_password_file, *smtp_helo;
	char *imap_host;
	int64_t imap_port;
	int imap_tls; /* enum imap_tls */
	char *imap_ca_file;
	bool imap_verify;
	char *imap_user, *imap_password_file;
	char *mailbox, *from, *to, *key_file;
	int64_t warning, critical, lost_after, hold, wait;
	int64_t lost_critical, max_outstanding;
};

enum rt_smtp_tls { RT_SMTP_NONE, RT_SMTP_STARTTLS, RT_SMTP_IMPLICIT };

struct rt_run {
	struct probe_run *run;
	const struct roundtrip_conf *conf;
	char *key;
	size_t key_len;
	struct rt_state state;
	struct rt_thresholds limits;
	struct rt_findings found;
	struct imap_session imap;
	uint32_t searched; /* during a look: messages below this are done with */
};

/* Makes the state durable now; false when that is not possible. */
bool rt_keep(struct rt_run *r);

/* Connects, logs in and selects the mailbox, done by the deadline (CLOCK_BOOTTIME ms). False: found.imap says why. */
bool rt_open_mailbox(struct rt_run *r, int64_t deadline);
/* Searches, settles what it finds, deletes what is proved ours, and lets the rest age. False: found.imap says why. */
bool rt_look(struct rt_run *r);
/* Asks the server what is new and looks only when something came. */
bool rt_poll(struct rt_run *r);

/* Sends the message of mail m by the deadline and tells the state what became of it; a failure goes to found.smtp.
 * m->sent becomes the moment just before the mail itself was sent. m is no more valid afterwards. */
void rt_send(struct rt_run *r, struct rt_mail *m, const char *message, size_t len, int64_t deadline);

#endif
