/*
 * The options of check_smtp and check_lmtp as a structure, and the rules that their tables cannot say.
 */
#ifndef PROBES_SMTP_CONF_H
#define PROBES_SMTP_CONF_H

#include "lib/config/complaint.h"
#include "lib/config/opts.h"
#include "session.h"

struct smtp_conf {
	char *host;
	int64_t port; /* 0: 25, or 465 with tls; of lmtp_opts 24 */
	bool four, six, all_addresses;
	struct opt_list dns_servers;
	char *fqdn;
	char *expect;
	struct opt_list extensions, commands, responses;
	char *from;
	struct opt_list to;
	bool lmtp, starttls, tls;
	int verify; /* enum smtp_conf_verify */
	char *ca_file, *certificate_name, *certificate;
	char *authtype, *authuser, *password_file, *authpass;
	bool insecure_auth;
	bool ignore_quit_failure;
	struct range warning, critical; /* seconds */
	int64_t resolve_ms, connect_ms, greeting_ms, ehlo_ms, starttls_ms, auth_ms, command_ms, quit_ms;
};

enum { SMTP_RECIPIENTS_MAX = 50 };
enum smtp_conf_verify { SMTP_CONF_AUTO, SMTP_CONF_OFF, SMTP_CONF_CHAIN, SMTP_CONF_FULL };

extern const struct opt smtp_opts[], lmtp_opts[];

/* For struct probe. */
void smtp_conf_check(const void *conf, struct complaints *c);

/* What the options mean, for a configuration that smtp_conf_check had no complaint about. */
enum smtp_tls smtp_conf_tls(const struct smtp_conf *o);
enum tls_verify smtp_conf_verify(const struct smtp_conf *o);
uint16_t smtp_conf_port(const struct smtp_conf *o);
int smtp_conf_family(const struct smtp_conf *o);
/* "PLAIN" "LOGIN" "CRAM-MD5", NULL: the best offered. *wanted: is there to be a login at all? */
const char *smtp_conf_mechanism(const struct smtp_conf *o, bool *wanted);
#endif
