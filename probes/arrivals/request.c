/* A policy request; see request.h. */
#include "request.h"

#include <stdio.h>
#include <string.h>

void policy_request_begin(struct policy_request *r)
{
	memset(r, 0, sizeof *r);
}

static void keep(char *out, const char *value)
{
	size_t n = 0;

	for (; value[n] && n + 1 < ORIGIN_NAME_MAX; n++)
		out[n] = value[n] > ' ' && value[n] < 0x7f ? value[n] : '?';
	out[n] = '\0';
}

static bool take_line(struct policy_request *r)
{
	char *value = strchr(r->line, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(r->line, "request") == 0)
		return r->named = strcmp(value, "smtpd_access_policy") == 0;
	if (strcmp(r->line, "client_address") == 0)
		keep(r->client, value);
	else if (strcmp(r->line, "sasl_username") == 0)
		keep(r->sasl, value);
	else if (strcmp(r->line, "local_uid") == 0)
		keep(r->uid, value);
	else if (strcmp(r->line, "instance") == 0)
		keep(r->instance, value);
	return true;
}

enum policy_step policy_request_feed(struct policy_request *r, const char *data, size_t n, size_t *used)
{
	for (*used = 0; *used < n;) {
		char c = data[(*used)++];
		if (++r->bytes > POLICY_REQUEST_MAX)
			return POLICY_BAD;
		if (c != '\n') {
			if (r->len + 1 < sizeof r->line)
				r->line[r->len++] = c ? c : '?';
			continue;
		}
		r->line[r->len] = '\0';
		if (r->len == 0)
			return r->named ? POLICY_DONE : POLICY_BAD;
		r->len = 0;
		if (!take_line(r))
			return POLICY_BAD;
	}
	return POLICY_MORE;
}
