/*
 * The test for an open relay and its reverse, the submission that must work: options, what was found, and
 * what it means. try.c speaks, report.c judges; check_relay is the door. No DATA is ever sent.
 */
#ifndef PROBES_RELAY_RELAY_H
#define PROBES_RELAY_RELAY_H

#include "forms.h"
#include "lib/config/opts.h"
#include "lib/contract/result.h"
#include "probes/net/resolve.h"
#include "probes/smtp/session.h"

enum relay_mode { RELAY_OPEN, RELAY_SUBMISSION, RELAY_BOTH };

struct relay_conf {
	char *host;
	int64_t port, submission_port;
	bool four, six;
	struct opt_list dns_servers;
	char *fqdn, *domain, *from, *to, *sender;
	int mode;
	bool allow_vrfy;
	char *authuser, *password_file, *ca_file;
	bool insecure;
};

enum { RELAY_HITS_MAX = 4 };

/* Of one address. */
struct relay_seen {
	struct net_address address;
	size_t forms;	      /* that were answered */
	size_t open, unclear; /* taken; put off with a 4xx, or taken where any local part is taken */
	char form[64];	      /* of the first that was taken, and its recipient */
	char recipient[120];
	char hits[RELAY_HITS_MAX][64];
	char put_off[120];	/* what the first 4xx said */
	bool catch_all;		/* takes any user of ours, so the local forms say nothing */
	bool catch_all_literal; /* the same for its address in brackets */
	bool vrfy, expn, asked_names;
	struct smtp_fault fault; /* the dialogue broke */
	double ms;
};

void relay_test(const struct relay_conf *o, const struct smtp_target *t, struct relay_seen *seen);
/* Login, MAIL, RCPT, RSET. False: fault says why. */
bool relay_submit(const struct relay_conf *o, const struct smtp_target *t, const char *servers, int family,
		  struct smtp_fault *fault);
void relay_report(const struct relay_conf *o, const struct relay_seen *v, size_t n, struct result *r);

#endif
