/*
 * The option tables of check_smtp and check_lmtp. The letters and most of the names are those of monitoring-plugins' check_smtp
 * and mean the same, so that a command definition can be switched by its path; the help says where they do
 * not.
 */
#include "conf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/config/units.h"
#include "lib/pattern.h"
#include "probes/net/cert_days.h"

#define FIELD(f) .offset = offsetof(struct smtp_conf, f)
#define LIMIT .type = OPT_DURATION, .min = 10, .max = 3600e3

const struct opt smtp_opts[] = {
	{.name = "host", .letter = 'H', .type = OPT_STRING, FIELD(host), .flags = OPT_REQUIRED,
	 .unit = "ADDRESS",
	 .help = "the relay: a name, an address or a unix socket"},
	{.name = "port", .letter = 'p', .type = OPT_INT, FIELD(port), .min = 1, .max = 65535, .unit = "PORT",
	 .help = "its port; default 25, with tls 465"},
	{.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four),
	 .help = "only its IPv4 addresses"},
	{.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six),
	 .help = "only its IPv6 addresses"},
	{.name = "all_addresses", .type = OPT_BOOL, FIELD(all_addresses),
	 .help = "each address of the name by itself must work; else the first that works will do, and a "
		 "dead one before it is a WARNING"},
	{.name = "dns_servers", .type = OPT_LIST, FIELD(dns_servers), .unit = "ADDRESS[:PORT]",
	 .help = "ask these name servers instead of those of this host"},
	{.name = "fqdn", .letter = 'F', .type = OPT_STRING, FIELD(fqdn), .unit = "NAME",
	 .help = "name given in EHLO; default: this host's full name, else its address in brackets"},
	{.name = "expect", .letter = 'e', .type = OPT_STRING, FIELD(expect), .dflt = "220", .unit = "TEXT",
	 .help = "text that must be in the greeting (all of its lines); else WARNING"},
	{.name = "extensions", .type = OPT_LIST, FIELD(extensions), .unit = "KEYWORD",
	 .help = "extension that the answer to EHLO must offer, such as \"SIZE\" or \"AUTH PLAIN\"; "
		 "else WARNING"},
	{.name = "from", .letter = 'f', .type = OPT_STRING, FIELD(from), .unit = "MAIL",
	 .help = "send MAIL FROM with this address; a refusal is CRITICAL"},
	{.name = "to", .type = OPT_LIST, FIELD(to), .unit = "MAIL",
	 .help = "send RCPT TO with this address too (no mail is sent); 450 and 451 are WARNING: "
		 "greylisting"},
	{.name = "lmtp", .letter = 'L', .type = OPT_BOOL, FIELD(lmtp),
	 .help = "speak LMTP: LHLO instead of EHLO"},
	{.name = "command", .letter = 'C', .type = OPT_LIST, FIELD(commands), .unit = "TEXT",
	 .help = "a further command"},
	{.name = "response", .letter = 'R', .type = OPT_LIST, FIELD(responses), .unit = "REGEX",
	 .help = "what the answer to the command in the same place must match; else WARNING"},
	{.name = "starttls", .letter = 'S', .type = OPT_BOOL, FIELD(starttls),
	 .help = "use STARTTLS; it must be offered"},
	{.name = "tls", .letter = 's', .type = OPT_BOOL, FIELD(tls),
	 .help = "TLS from the first byte (port 465)"},
	{.name = "verify", .type = OPT_ENUM, FIELD(verify), .dflt = "auto", .choices = "auto|off|chain|full",
	 .help = "what of the certificate must be right: nothing, a trusted chain, or chain and name; "
		 "auto is full with a CA file or a password, else off; what is wrong is shown in any case"},
	{.name = "ca_file", .type = OPT_PATH, FIELD(ca_file), .unit = "FILE",
	 .help = "PEM file of trusted authorities; default: the system's"},
	{.name = "certificate_name", .type = OPT_STRING, FIELD(certificate_name), .unit = "NAME",
	 .help = "name that the certificate must carry and that SNI asks for; default: the host"},
	{.name = "certificate", .letter = 'D', .type = OPT_STRING, FIELD(certificate), .unit = "DAYS[,DAYS]",
	 .help = "WARNING (second: CRITICAL) when the certificate ends within so many days; means "
		 "STARTTLS unless tls is given"},
	{.name = "authtype", .letter = 'A', .type = OPT_STRING, FIELD(authtype), .unit = "TYPE",
	 .help = "log in: plain, login, cram-md5, auto (the best one offered) or none; default: auto when "
		 "there is a user"},
	{.name = "authuser", .letter = 'U', .type = OPT_STRING, FIELD(authuser), .unit = "NAME",
	 .help = "the user"},
	{.name = "password_file", .type = OPT_SECRET, FIELD(password_file), .unit = "FILE",
	 .help = "file that holds the password"},
	{.name = "authpass", .letter = 'P', .type = OPT_STRING, FIELD(authpass), .flags = OPT_ARGV_ONLY,
	 .unit = "TEXT",
	 .help = "refused: every user of a host can read its command lines; use password-file"},
	{.name = "insecure_auth", .type = OPT_BOOL, FIELD(insecure_auth),
	 .help = "the password may be sent without TLS"},
	{.name = "ignore_quit_failure", .letter = 'q', .type = OPT_BOOL, FIELD(ignore_quit_failure),
	 .help = "an unanswered QUIT is no WARNING"},
	{.name = "warning", .letter = 'w', .type = OPT_RANGE, FIELD(warning), .unit = "SECONDS",
	 .help = "WARNING when all of it took longer (a range)"},
	{.name = "critical", .letter = 'c', .type = OPT_RANGE, FIELD(critical), .unit = "SECONDS",
	 .help = "CRITICAL when all of it took longer (a range)"},
	{.name = "resolve_timeout", LIMIT, FIELD(resolve_ms), .dflt = "10s",
	 .help = "limit of the name lookup"},
	{.name = "connect_timeout", LIMIT, FIELD(connect_ms), .dflt = "10s",
	 .help = "limit of the TCP connect"},
	{.name = "greeting_timeout", LIMIT, FIELD(greeting_ms), .dflt = "30s",
	 .help = "limit of the greeting; some relays pause for 20 s"},
	{.name = "ehlo_timeout", LIMIT, FIELD(ehlo_ms), .dflt = "15s",
	 .help = "limit of each EHLO"},
	{.name = "starttls_timeout", LIMIT, FIELD(starttls_ms), .dflt = "15s",
	 .help = "limit of STARTTLS and handshake"},
	{.name = "auth_timeout", LIMIT, FIELD(auth_ms), .dflt = "15s",
	 .help = "limit of the login"},
	{.name = "command_timeout", LIMIT, FIELD(command_ms), .dflt = "15s",
	 .help = "limit of each of MAIL, RCPT and further commands"},
	{.name = "quit_timeout", LIMIT, FIELD(quit_ms), .dflt = "5s",
	 .help = "limit of QUIT"},
	{.name = NULL}
};

/* What a local delivery agent has: no login, no port of its own for TLS. */
const struct opt lmtp_opts[] = {
	{.name = "host", .letter = 'H', .type = OPT_STRING, FIELD(host), .flags = OPT_REQUIRED,
	 .unit = "ADDRESS",
	 .help = "the delivery agent: a unix socket, a name or an address"},
	{.name = "port", .letter = 'p', .type = OPT_INT, FIELD(port), .dflt = "24", .min = 1, .max = 65535, .unit = "PORT",
	 .help = "its port"},
	{.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four),
	 .help = "only its IPv4 addresses"},
	{.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six),
	 .help = "only its IPv6 addresses"},
	{.name = "all_addresses", .type = OPT_BOOL, FIELD(all_addresses),
	 .help = "each address of the name by itself must work"},
	{.name = "dns_servers", .type = OPT_LIST, FIELD(dns_servers), .unit = "ADDRESS[:PORT]",
	 .help = "ask these name servers instead of those of this host"},
	{.name = "fqdn", .letter = 'F', .type = OPT_STRING, FIELD(fqdn), .unit = "NAME",
	 .help = "name given in LHLO; default: this host's full name, else its address in brackets"},
	{.name = "expect", .letter = 'e', .type = OPT_STRING, FIELD(expect), .dflt = "220", .unit = "TEXT",
	 .help = "text that must be in the greeting (all of its lines); else WARNING"},
	{.name = "extensions", .type = OPT_LIST, FIELD(extensions), .unit = "KEYWORD",
	 .help = "extension that the answer to LHLO must offer; else WARNING"},
	{.name = "from", .letter = 'f', .type = OPT_STRING, FIELD(from), .unit = "MAIL",
	 .help = "the sender of the envelope; default: the empty one"},
	{.name = "to", .type = OPT_LIST, FIELD(to), .unit = "MAIL",
	 .help = "a recipient that must be taken (no mail is sent: RSET follows); else CRITICAL"},
	{.name = "starttls", .letter = 'S', .type = OPT_BOOL, FIELD(starttls),
	 .help = "use STARTTLS; it must be offered"},
	{.name = "verify", .type = OPT_ENUM, FIELD(verify), .dflt = "auto", .choices = "auto|off|chain|full",
	 .help = "what of the certificate must be right; auto is full with a CA file, else off"},
	{.name = "ca_file", .type = OPT_PATH, FIELD(ca_file), .unit = "FILE",
	 .help = "PEM file of trusted authorities; default: the system's"},
	{.name = "certificate_name", .type = OPT_STRING, FIELD(certificate_name), .unit = "NAME",
	 .help = "name that the certificate must carry and that SNI asks for; default: the host"},
	{.name = "certificate", .letter = 'D', .type = OPT_STRING, FIELD(certificate), .unit = "DAYS[,DAYS]",
	 .help = "WARNING (second: CRITICAL) when the certificate ends within so many days; means STARTTLS"},
	{.name = "ignore_quit_failure", .letter = 'q', .type = OPT_BOOL, FIELD(ignore_quit_failure),
	 .help = "an unanswered QUIT is no WARNING"},
	{.name = "warning", .letter = 'w', .type = OPT_RANGE, FIELD(warning), .unit = "SECONDS",
	 .help = "WARNING when all of it took longer (a range)"},
	{.name = "critical", .letter = 'c', .type = OPT_RANGE, FIELD(critical), .unit = "SECONDS",
	 .help = "CRITICAL when all of it took longer (a range)"},
	{.name = "resolve_timeout", LIMIT, FIELD(resolve_ms), .dflt = "10s", .help = "limit of the name lookup"},
	{.name = "connect_timeout", LIMIT, FIELD(connect_ms), .dflt = "10s", .help = "limit of the connect"},
	{.name = "greeting_timeout", LIMIT, FIELD(greeting_ms), .dflt = "30s", .help = "limit of the greeting"},
	{.name = "lhlo_timeout", LIMIT, FIELD(ehlo_ms), .dflt = "15s", .help = "limit of each LHLO"},
	{.name = "starttls_timeout", LIMIT, FIELD(starttls_ms), .dflt = "15s",
	 .help = "limit of STARTTLS and handshake"},
	{.name = "command_timeout", LIMIT, FIELD(command_ms), .dflt = "15s",
	 .help = "limit of each of MAIL, RCPT and RSET"},
	{.name = "quit_timeout", LIMIT, FIELD(quit_ms), .dflt = "5s", .help = "limit of QUIT"},
	{.name = NULL}
};

const char *smtp_conf_mechanism(const struct smtp_conf *o, bool *wanted)
{
	static const char *const known[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
	size_t i;

	*wanted = o->authuser && (!o->authtype || strcasecmp(o->authtype, "none") != 0);
	for (i = 0; o->authtype && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(o->authtype, known[i]) == 0)
			return known[i];
	/* without TLS only one of them keeps the password to itself */
	return *wanted && smtp_conf_tls(o) == SMTP_TLS_OFF && !o->insecure_auth ? "CRAM-MD5" : NULL;
}

enum smtp_tls smtp_conf_tls(const struct smtp_conf *o)
{
	if (o->tls)
		return SMTP_TLS_IMPLICIT;
	return o->starttls || o->certificate ? SMTP_TLS_STARTTLS : SMTP_TLS_OFF;
}

enum tls_verify smtp_conf_verify(const struct smtp_conf *o)
{
	bool login;

	switch (o->verify) {
	case SMTP_CONF_OFF:
		return TLS_VERIFY_OFF;
	case SMTP_CONF_CHAIN:
		return TLS_VERIFY_CHAIN;
	case SMTP_CONF_FULL:
		return TLS_VERIFY_FULL;
	default:
		break;
	}
	smtp_conf_mechanism(o, &login);
	return o->ca_file || (login && !o->insecure_auth) ? TLS_VERIFY_FULL : TLS_VERIFY_OFF;
}

uint16_t smtp_conf_port(const struct smtp_conf *o)
{
	return o->port ? (uint16_t)o->port : o->tls ? 465 : 25;
}

int smtp_conf_family(const struct smtp_conf *o)
{
	return o->four ? AF_INET : o->six ? AF_INET6 : AF_UNSPEC;
}

/* --- rules beyond the table --- */

static void check_name(struct complaints *c, const char *item, const char *name)
{
	const char *p;

	if (!name || resolve_literal(name, 0, NULL))
		return;
	if (name[0] == '/' && strcmp(item, "host") == 0 && strlen(name) <= RESOLVE_PATH_MAX)
		return; /* a socket */
	if (!name[0] || strlen(name) > 253)
		complaint_add(c, NULL, item, name, "not a host name");
	for (p = name; *p; p++) {
		if (isascii((unsigned char)*p) && (isalnum((unsigned char)*p) || strchr("-._", *p)))
			continue;
		complaint_add(c, NULL, item, name, "neither an address nor a host name%s",
			      isascii((unsigned char)*p) ? "" : " (write it in its xn-- form)");
		return;
	}
}

/* Text that goes to the relay as part of a line. */
static void check_line(struct complaints *c, const char *item, const char *text)
{
	if (!text)
		return;
	if (strlen(text) > 500)
		complaint_add(c, NULL, item, NULL, "longer than 500 bytes");
	if (strpbrk(text, "\r\n"))
		complaint_add(c, NULL, item, NULL, "has a line end in it");
}

static void check_address(struct complaints *c, const char *item, const char *address)
{
	size_t n = address ? strlen(address) : 0, bracket = n && address[0] == '<';

	check_line(c, item, address);
	if (n && (strpbrk(address + bracket, " <") ||
		  (strchr(address, '>') && (!bracket || address[n - 1] != '>'))))
		complaint_add(c, NULL, item, address, "not a mail address");
}

static void check_auth(struct complaints *c, const struct smtp_conf *o)
{
	bool wanted;
	const char *mechanism = smtp_conf_mechanism(o, &wanted);

	if (o->authpass)
		complaint_add(c, NULL, "authpass", NULL,
			      "not taken from a command line, which every user can read; put it into a file: "
			      "--password-file");
	if (o->authtype && !mechanism && strcasecmp(o->authtype, "auto") != 0 &&
	    strcasecmp(o->authtype, "none") != 0)
		complaint_add(c, NULL, "authtype", o->authtype,
			      "must be plain, login, cram-md5, auto or none");
	if (o->authtype && strcasecmp(o->authtype, "none") != 0 && !o->authuser)
		complaint_add(c, NULL, "authuser", NULL, "is required with authtype");
	if (wanted && !o->password_file && !o->authpass)
		complaint_add(c, NULL, "password_file", NULL, "is required with authuser");
	if (wanted && mechanism && strcmp(mechanism, "CRAM-MD5") != 0 && smtp_conf_tls(o) == SMTP_TLS_OFF &&
	    !o->insecure_auth)
		complaint_add(
		    c, NULL, "authtype", o->authtype,
		    "would send the password readable: use starttls or tls, or allow it with insecure_auth");
}

static void check_patterns(struct complaints *c, const struct smtp_conf *o)
{
	char why[120];
	size_t i;

	for (i = 0; i < o->commands.n; i++)
		check_line(c, "command", o->commands.v[i]);
	for (i = 0; i < o->responses.n; i++) {
		if (!pattern_ok(o->responses.v[i], PATTERN_LINES, why, sizeof(why)))
			complaint_add(c, NULL, "response", o->responses.v[i], "%s", why);
	}
	if (o->responses.n > o->commands.n)
		complaint_add(c, NULL, "response", NULL, "there are more of them than of command");
}

void smtp_conf_check(const void *conf, struct complaints *c)
{
	const struct smtp_conf *o = conf;

	check_name(c, "host", o->host);
	check_name(c, "certificate_name", o->certificate_name);
	check_line(c, "fqdn", o->fqdn);
	if (o->fqdn && (!o->fqdn[0] || strchr(o->fqdn, ' ') || strlen(o->fqdn) > 255))
		complaint_add(c, NULL, "fqdn", o->fqdn, "not a name for EHLO");
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	if (o->starttls && o->tls)
		complaint_add(c, NULL, "tls", NULL, "excludes starttls");
	cert_days_check(o->certificate, "certificate", c);
	check_address(c, "from", o->from);
	for (size_t i = 0; i < o->to.n; i++)
		check_address(c, "to", o->to.v[i]);
	if (o->to.n > SMTP_RECIPIENTS_MAX)
		complaint_add(c, NULL, "to", NULL, "more than %d", SMTP_RECIPIENTS_MAX);
	check_auth(c, o);
	check_patterns(c, o);
}
