/*
 * The options that check_imap and check_pop3 share, as a structure and as rows of their tables. Each probe's
 * own structure begins with this one. The letters are those of monitoring-plugins' check_imap and check_pop,
 * which are its check_tcp.
 */
#ifndef PROBES_MAILBOX_CONF_H
#define PROBES_MAILBOX_CONF_H

#include "lib/config/complaint.h"
#include "lib/config/opts.h"
#include "lib/contract/result.h"
#include "link.h"

struct mailbox_conf {
	char *host, *sni, *ca_file, *certificate, *user, *password_file, *send, *quit;
	struct opt_list expect;
	int64_t port, maxbytes, delay_ms;
	int refuse, mismatch; /* enum mailbox_judgement; mismatch 0: not said */
	bool four, six, tls, starttls, verify, insecure_auth, all, jail, escape;
	struct range warning, critical, messages_warning, messages_critical;
	int64_t resolve_ms, connect_ms, greeting_ms, tls_ms, login_ms, command_ms;
};

/* Where the two protocols differ in what an option is unless it is said. */
struct mailbox_words {
	const char *expect, *quit;
	uint16_t port, tls_port;
};

enum { MAILBOX_MAXBYTES = 1 << 20 };

#define MAILBOX_FIELD(f) .offset = offsetof(struct mailbox_conf, f)
#define MAILBOX_LIMIT .type = OPT_DURATION, .min = 10, .max = 600000

/* clang-format off */
#define MAILBOX_OPTIONS(PORTS, EXPECT) \
	{.name = "host", .letter = 'H', .type = OPT_STRING, MAILBOX_FIELD(host), .flags = OPT_REQUIRED, .unit = "ADDRESS", \
	 .help = "the store: a name, an address or a unix socket; of several addresses the first that lets us in will do"}, \
	{.name = "port", .letter = 'p', .type = OPT_INT, MAILBOX_FIELD(port), .min = 1, .max = 65535, .unit = "PORT", \
	 .help = "its port; default " PORTS}, \
	{.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, MAILBOX_FIELD(four), .help = "only its IPv4 addresses"}, \
	{.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, MAILBOX_FIELD(six), .help = "only its IPv6 addresses"}, \
	{.name = "expect", .letter = 'e', .type = OPT_LIST, MAILBOX_FIELD(expect), .unit = "TEXT", \
	 .help = "what the answer (without send: the greeting) must begin with, one of these; default " EXPECT}, \
	{.name = "all", .letter = 'A', .type = OPT_BOOL, MAILBOX_FIELD(all), .help = "all texts of expect must match"}, \
	{.name = "mismatch", .letter = 'M', .type = OPT_ENUM, MAILBOX_FIELD(mismatch), .dflt = "default", \
	 .choices = "default|ok|warn|crit", .help = "state when expect does not match; default: WARNING, of a greeting that ends the session CRITICAL"}, \
	{.name = "refuse", .letter = 'r', .type = OPT_ENUM, MAILBOX_FIELD(refuse), .dflt = "default", \
	 .choices = "default|ok|warn|crit", .help = "state when the connection is refused; default: CRITICAL"}, \
	{.name = "send", .letter = 's', .type = OPT_STRING, MAILBOX_FIELD(send), .unit = "TEXT", \
	 .help = "send this after the connect, wait for expect, and do nothing else"}, \
	{.name = "quit", .letter = 'q', .type = OPT_STRING, MAILBOX_FIELD(quit), .unit = "TEXT", \
	 .help = "send this in the end instead of the protocol's good-bye; a line end is added unless escape is given"}, \
	{.name = "escape", .letter = 'E', .type = OPT_BOOL, MAILBOX_FIELD(escape), \
	 .help = "\\n, \\r, \\t and \\\\ in send and quit stand for the characters"}, \
	{.name = "maxbytes", .letter = 'm', .type = OPT_INT, MAILBOX_FIELD(maxbytes), .min = 1, .max = MAILBOX_MAXBYTES, .unit = "BYTES", \
	 .help = "read no more of the answer to send"}, \
	{.name = "delay", .letter = 'd', .type = OPT_DURATION, MAILBOX_FIELD(delay_ms), .max = 600000, \
	 .help = "wait so long between send and the first look for an answer"}, \
	{.name = "jail", .letter = 'j', .type = OPT_BOOL, MAILBOX_FIELD(jail), .help = "show nothing of what the server said"}, \
	{.name = "tls", .letter = 'S', .type = OPT_BOOL, MAILBOX_FIELD(tls), .help = "TLS from the first byte"}, \
	{.name = "starttls", .type = OPT_BOOL, MAILBOX_FIELD(starttls), .help = "use STARTTLS; it must be offered"}, \
	{.name = "sni", .type = OPT_STRING, MAILBOX_FIELD(sni), .unit = "NAME", \
	 .help = "the name that TLS asks for and that the certificate must carry; default: the host"}, \
	{.name = "verify", .type = OPT_BOOL, MAILBOX_FIELD(verify), \
	 .help = "the certificate's chain and name must be right; always so when a password is sent"}, \
	{.name = "ca_file", .type = OPT_PATH, MAILBOX_FIELD(ca_file), .unit = "FILE", \
	 .help = "PEM file of trusted authorities; default: the system's"}, \
	{.name = "certificate", .letter = 'D', .type = OPT_STRING, MAILBOX_FIELD(certificate), .unit = "DAYS[,DAYS]", \
	 .help = "WARNING (second: CRITICAL) when the certificate ends within so many days; means tls unless starttls is given"}, \
	{.name = "user", .type = OPT_STRING, MAILBOX_FIELD(user), .unit = "NAME", .help = "log in as this user"}, \
	{.name = "password_file", .type = OPT_SECRET, MAILBOX_FIELD(password_file), .unit = "FILE", \
	 .help = "file that holds the password"}, \
	{.name = "insecure_auth", .type = OPT_BOOL, MAILBOX_FIELD(insecure_auth), \
	 .help = "the password may be sent without TLS, or to a certificate that is not checked"}, \
	{.name = "messages_warning", .type = OPT_RANGE, MAILBOX_FIELD(messages_warning), .unit = "N", \
	 .help = "WARNING when the mailbox holds more messages (a range)"}, \
	{.name = "messages_critical", .type = OPT_RANGE, MAILBOX_FIELD(messages_critical), .unit = "N", \
	 .help = "CRITICAL when the mailbox holds more messages (a range)"}, \
	{.name = "warning", .letter = 'w', .type = OPT_RANGE, MAILBOX_FIELD(warning), .unit = "SECONDS", \
	 .help = "WARNING when all of it took longer (a range)"}, \
	{.name = "critical", .letter = 'c', .type = OPT_RANGE, MAILBOX_FIELD(critical), .unit = "SECONDS", \
	 .help = "CRITICAL when all of it took longer (a range)"}, \
	{.name = "resolve_timeout", MAILBOX_LIMIT, MAILBOX_FIELD(resolve_ms), .dflt = "10s", .help = "limit of the name look-up"}, \
	{.name = "connect_timeout", MAILBOX_LIMIT, MAILBOX_FIELD(connect_ms), .dflt = "10s", .help = "limit of the connect"}, \
	{.name = "greeting_timeout", MAILBOX_LIMIT, MAILBOX_FIELD(greeting_ms), .dflt = "30s", .help = "limit of the greeting"}, \
	{.name = "tls_timeout", MAILBOX_LIMIT, MAILBOX_FIELD(tls_ms), .dflt = "15s", .help = "limit of STARTTLS and handshake"}, \
	{.name = "login_timeout", MAILBOX_LIMIT, MAILBOX_FIELD(login_ms), .dflt = "30s", .help = "limit of the login"}, \
	{.name = "command_timeout", MAILBOX_LIMIT, MAILBOX_FIELD(command_ms), .dflt = "15s", .help = "limit of each other command"}
/* clang-format on */

/* For check_conf: what the rows cannot say. */
void mailbox_conf_check(const struct mailbox_conf *o, struct complaints *c);
enum mailbox_tls mailbox_conf_tls(const struct mailbox_conf *o);
/* The texts of expect match the beginning of what came; MORE: what came is the beginning of one of them.
 * Pure. */
enum mailbox_match { MAILBOX_NO_MATCH, MAILBOX_MATCH, MAILBOX_MORE };
enum mailbox_match mailbox_match(const struct mailbox_conf *o, const char *dflt, const char *text, size_t n);
/* Adds text with, when escape is set, what \n \r \t \\ stand for. */
bool mailbox_unescape(const struct mailbox_conf *o, const char *text, struct buf *out);
/* What refuse or mismatch says; otherwise: of their default. */
enum nag_state mailbox_judgement(int said, enum nag_state otherwise);
void mailbox_conf_limits(const struct mailbox_conf *o, int64_t limit_ms[MAILBOX_PHASES]);

#endif
