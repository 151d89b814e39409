/* The command line of propose; see wish.h. */
#include "wish.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/config/units.h"
#include "lib/literal.h"
#include "monitord/ctl/ask.h"

enum { TIMEOUT_MS = 60000, TIMEOUT_LEAST_MS = 5000, TIMEOUT_MOST_MS = 600000 };

static const struct {
	const char *name;
	int port;
} services[SERVICES] = {{"smtp", 25},	{"submission", 587}, {"smtps", 465}, {"imap", 143},
			{"imaps", 993}, {"pop3", 110},	     {"pop3s", 995}};

const char *wish_service(int service)
{
	return services[service].name;
}

bool wish_is_name(const char *s)
{
	size_t n = strlen(s);
	if (!n || n > WISH_HOST_MAX || !isalnum((unsigned char)*s))
		return false;
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (*p >= 0x80 || (!isalnum(*p) && !strchr(".-_", *p)) || (*p == '.' && p[1] == '.'))
			return false;
	return true;
}

static bool refuse(const char *option, const char *value, const char *reason)
{
	fprintf(stderr, "monitorctl: %s \"%s\": %s\n", option, value, reason);
	return false;
}

static bool is_host(const char *s)
{
	return literal_is_address(s) || wish_is_name(s);
}

/* "192.0.2.53", "192.0.2.53:5353", "[::1]:5353" */
static bool is_resolver(const char *s)
{
	char copy[64];
	if (literal_is_address(s))
		return true;
	if (strlen(s) >= sizeof copy)
		return false;
	strncpy(copy, s, sizeof copy);
	char *colon = strrchr(copy, ':'), *host = copy;
	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strlen(colon + 1) > 5)
		return false;
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		host++;
	}
	return literal_is_address(host);
}

/* Values with commas between them; good says whether one is, reason what it should be. */
static bool read_list(struct wish_list *l, const char *option, const char *text, bool (*good)(const char *),
		      const char *reason)
{
	while (text && *text) {
		size_t n = strcspn(text, ",");
		char *one = strndup(text, n);
		if (!one || l->n == WISH_LIST_MAX || !good(one)) {
			refuse(option, one ? one : text,
			       l->n == WISH_LIST_MAX ? "is one too many; at most 16 are taken" : reason);
			free(one);
			return false;
		}
		l->v[l->n++] = one;
		text += n + (text[n] == ',');
	}
	return true;
}

/* "imap=1143" */
static bool read_port(struct wish *w, const char *text, size_t n)
{
	for (int i = 0; i < SERVICES; i++) {
		size_t len = strlen(services[i].name);
		char *end;
		if (n <= len || strncmp(text, services[i].name, len) != 0 || text[len] != '=')
			continue;
		long port = strtol(text + len + 1, &end, 10);
		if (end != text + n || port < 1 || port > 65535)
			return false;
		w->ports[i] = (int)port;
		return true;
	}
	return false;
}

static bool read_ports(struct wish *w, const char *text)
{
	for (int i = 0; i < SERVICES; i++)
		w->ports[i] = services[i].port;
	while (text && *text) {
		size_t n = strcspn(text, ",");
		if (!read_port(w, text, n))
			return refuse("--ports", text,
				      "write smtp=2525,imap=1143 ...; there are smtp submission smtps imap "
				      "imaps pop3 pop3s, and ports from 1 to 65535");
		text += n + (text[n] == ',');
	}
	return true;
}

static bool read_timeout(struct wish *w, const char *text)
{
	int64_t ms = TIMEOUT_MS;
	const char *why = NULL;
	if (text && !units_duration(text, &ms, &why))
		return refuse("--timeout", text, why);
	if (ms < TIMEOUT_LEAST_MS || ms > TIMEOUT_MOST_MS)
		return refuse("--timeout", text, "must be from 5s to 10m");
	w->deadline = clock_boot_ms() + ms;
	return true;
}

static bool read_subject(struct wish *w, const char *text)
{
	size_t n = strlen(text);
	w->address = literal_is_address(text);
	if (strchr(text, '@'))
		return refuse("propose", text, "name the domain, what stands behind the @");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p >= 0x80)
			return refuse("propose", text,
				      "is not ASCII; write such a domain as it stands in the DNS (xn--...)");
	if (n && text[n - 1] == '.')
		n--;
	if (n > WISH_HOST_MAX)
		return refuse("propose", text, "is longer than 253 bytes");
	for (size_t i = 0; i < n; i++)
		w->subject[i] = (char)tolower((unsigned char)text[i]);
	w->subject[n] = '\0';
	return is_host(w->subject) ||
	       refuse("propose", text, "is neither a domain nor a host nor an address");
}

bool wish_read(struct wish *w, const struct ctl *ctl)
{
	*w = (struct wish){.ca_file = ctl->ca_file, .out = ctl->out, .local = !ctl->no_local};
	if (w->ca_file && *w->ca_file != '/')
		return refuse("--ca-file", w->ca_file,
			      "must be an absolute path: it will stand in the configuration");
	return read_subject(w, ctl->name) && read_ports(w, ctl->ports) && read_timeout(w, ctl->timeout) &&
	       read_list(&w->outbound, "--outbound", ctl->outbound, is_host,
			 "is neither an address nor a name") &&
	       read_list(&w->selectors, "--selector", ctl->selector, wish_is_name, "is no selector") &&
	       read_list(&w->lists, "--dnsbl", ctl->dnsbl, wish_is_name, "is no zone of the DNS") &&
	       read_list(&w->resolvers, "--resolver", ctl->resolver, is_resolver,
			 "must be an address, with a port perhaps: 192.0.2.53, [::1]:5353");
}

static void list_fini(struct wish_list *l)
{
	while (l->n)
		free(l->v[--l->n]);
}

void wish_fini(struct wish *w)
{
	list_fini(&w->outbound);
	list_fini(&w->selectors);
	list_fini(&w->resolvers);
	list_fini(&w->lists);
}
