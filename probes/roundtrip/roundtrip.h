/*
 * What the parts of the round trip share: check_roundtrip.c runs, send.c sends, a store (imap.c, pop3.c, maildir.c) is looked
 * into for what came back, and settle.c says what a message found there means.
 */
#ifndef PROBES_ROUNDTRIP_ROUNDTRIP_H
#define PROBES_ROUNDTRIP_ROUNDTRIP_H

#include <time.h>

#include "probes/imap/session.h"
#include "probes/probe.h"
#include "report.h"

struct roundtrip_conf {
	char *smtp_host;
	char *each_mx;
	struct opt_list dns_servers;
	int64_t smtp_port;
	int smtp_tls; /* enum rt_smtp_tls */
	char *smtp_ca_file;
	bool smtp_verify;
	char *smtp_user, *smtp_password_file, *smtp_helo;
	char *imap_host;
	int64_t imap_port;
	int imap_tls; /* enum mailbox_tls */
	char *imap_ca_file;
	bool imap_verify;
	char *imap_user, *imap_password_file;
	char *mailbox;
	char *pop3_host;
	int64_t pop3_port;
	int pop3_tls; /* enum mailbox_tls */
	char *pop3_ca_file;
	bool pop3_verify;
	char *pop3_user, *pop3_password_file;
	char *maildir;
	int64_t look_at_most;
	char *from, *to, *key_file;
	int64_t warning, critical, lost_after, hold, wait;
	int64_t lost_critical, max_outstanding;
};

enum rt_smtp_tls { RT_SMTP_NONE, RT_SMTP_STARTTLS, RT_SMTP_IMPLICIT };

enum {
	RT_OURS_MAX = IMAP_UIDS_MAX, /* of our mails taken in one look */
	RT_HEADER_MAX = 65536        /* bytes of a message that are looked at */
};

/* A Maildir that is looked into: its two folders, and when they had last changed before they were read. */
struct rt_maildir {
	bool is_open;
	int dir[2]; /* "new", "cur"; -1: not open */
	struct timespec changed[2];
};

/* With each_mx: the hosts that get a mail each, and what was found of each. */
struct rt_mx {
	bool on;
	char servers[1024]; /* of names, "" for those of this host */
	struct rt_mx_host {
		char name[RT_WAY_NAME_MAX];
		unsigned preference;
		bool backup; /* not of the best preference */
		size_t way;  /* of rt_state; RT_WAYS_MAX: there was no room */
	} host[RT_WAYS_MAX];
	size_t n;
	size_t dropped; /* beyond RT_WAYS_MAX */
	struct rt_findings found[RT_WAYS_MAX]; /* by rt_state.way */
};

struct rt_run {
	struct probe_run *run;
	const struct roundtrip_conf *conf;
	const struct rt_store *store;
	char *key;
	size_t key_len;
	struct rt_state state;
	struct rt_thresholds limits;
	struct rt_findings found; /* of the store; and of the one way, when there is one */
	struct rt_mx mx;
	struct imap_session imap;
	uint32_t searched; /* during a look by IMAP: messages below this are done with */
	struct rt_maildir maildir;
};

/* How mail comes back. Each of the first three returns false when found.store says why. */
struct rt_store {
	const char *name; /* "imap", as its figure is called */
	/* Gets as far as the mailbox by the deadline (CLOCK_BOOTTIME ms). */
	bool (*open)(struct rt_run *r, int64_t deadline);
	/* Searches, settles what it finds, deletes what is proved ours, and lets the rest age. */
	bool (*look)(struct rt_run *r, int64_t deadline);
	/* Looks again, at small cost when nothing came. */
	bool (*poll)(struct rt_run *r, int64_t deadline);
	/* Safe when it was never opened, and twice. */
	void (*close)(struct rt_run *r);
	int64_t poll_first_ms, poll_last_ms; /* pauses between polls */
};
extern const struct rt_store rt_imap, rt_pop3, rt_maildir;

/* Makes the state durable now; false when that is not possible. */
bool rt_keep(struct rt_run *r);

/* What is found of this way is written there. */
struct rt_findings *rt_found(struct rt_run *r, size_t way);

/* --- mx.c: a mail by each MX --- */

/* Looks the MX up and gives each a way in the state, before anything is looked for; forgets those that are no MX any more
 * and have nothing under way. False: the result is set. */
bool rt_mx_find(struct rt_run *r, int64_t deadline);
void rt_mx_report(struct rt_run *r, const struct stamp *now);

/* Sends the message of mail m to host by the deadline and tells the state what became of it; a failure goes to smtp of what is
 * found of its way.
 * m->sent becomes the moment just before the mail itself was sent. m is no more valid afterwards. */
void rt_send(struct rt_run *r, const char *host, struct rt_mail *m, const char *message, size_t len, int64_t deadline);

/* --- settle.c: for the stores --- */

/* A message found in the store. */
struct rt_sighting {
	uint32_t id;             /* the store's name for it, or a hash of that; not 0 */
	int64_t arrived_wall_ms; /* when the store says that it got it; 0: it does not */
	const char *header;      /* or its first part; what is behind an empty line is not looked at */
	size_t header_len;
};

/* One look. The state is stored before anything is deleted, so that a crash between cannot turn an arrived mail into a
 * lost one. */
struct rt_look {
	struct rt_run *r;
	struct stamp now;
	bool changed; /* the state is other than what is stored */
};

/* True: the HMAC proves it ours, and it is to be deleted once rt_may_delete says so. */
bool rt_settle(struct rt_look *look, const struct rt_sighting *mail);
/* Stores what was seen; false: it could not be, and nothing may be deleted (found.undeleted says so). */
bool rt_may_delete(const struct rt_look *look);
/* Fills found.store; returns false, so that a function can end with it. Layer "local" is a fault of the check's set-up. */
bool rt_store_failed(struct rt_run *r, const char *layer, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A number for a store's name of a message (FNV-1a); never 0. */
uint32_t rt_id(const char *name, size_t len);

#endif
