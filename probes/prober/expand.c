/* Lists of hosts of the DNS; see expand.h. Questions of one resolver are asked at the same time. */
#include "expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "probes/dns/ask.h"

enum { QUESTIONS_MAX = 100, LIMIT_MS = 8000, LINE_MAX = 65536, SERVERS_TEXT = 1024 };

struct question {
	cJSON *json;
	struct dns_ask ask[2]; /* A and AAAA of a name, or MX of a domain */
	size_t n;
};

static void answer(cJSON *o)
{
	struct buf out;
	buf_init(&out, LINE_MAX * 8);
	if (json_line(o, &out))
		fwrite(out.data, 1, out.len, stdout);
	buf_fini(&out);
	cJSON_Delete(o);
}

/* what: for programs: "list" "none" "null" "no name" "dns". */
static void refuse(const char *what, const char *why, bool answered)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "ok", false);
	cJSON_AddBoolToObject(o, "answered", answered);
	cJSON_AddStringToObject(o, "what", what);
	cJSON_AddStringToObject(o, "why", why);
	answer(o);
}

static int by_name(const void *a, const void *b)
{
	const struct dns_value *x = *(const struct dns_value *const *)a,
			       *y = *(const struct dns_value *const *)b;
	int order = strcasecmp(x->text, y->text);
	return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* The names of an MX answer, each once, in the order of letters: the DNS gives them in any. */
static void list_names(const struct dns_answer *a)
{
	const struct dns_value **v = calloc(a->n + 1, sizeof *v);
	size_t n = 0;
	for (size_t i = 0; v && i < a->n; i++)
		if (a->v[i].type == DNS_MX && a->v[i].text && *a->v[i].text && strcmp(a->v[i].text, ".") != 0)
			v[n++] = &a->v[i];
	if (n == 0) {
		refuse("null", "says that it takes no mail (a null MX)", true);
		free(v);
		return;
	}
	qsort(v, n, sizeof *v, by_name);
	cJSON *o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "ok", true);
	cJSON *hosts = cJSON_AddArrayToObject(o, "hosts"), *prefs = cJSON_AddArrayToObject(o, "preferences");
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcasecmp(v[i - 1]->text, v[i]->text) == 0)
			continue;
		cJSON_AddItemToArray(hosts, cJSON_CreateString(v[i]->text));
		cJSON_AddItemToArray(prefs, cJSON_CreateNumber(v[i]->number));
	}
	free(v);
	answer(o);
}

static void list_addresses(const struct question *q)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "ok", true);
	cJSON *hosts = cJSON_AddArrayToObject(o, "hosts");
	for (size_t k = 0; k < q->n; k++) {
		const struct dns_answer *a = &q->ask[k].answer;
		for (size_t i = 0; i < a->n; i++)
			if (a->v[i].type == q->ask[k].type && a->v[i].text)
				cJSON_AddItemToArray(hosts, cJSON_CreateString(a->v[i].text));
	}
	answer(o);
}

static void tell(const struct question *q)
{
	const struct dns_answer *a = &q->ask[0].answer;
	char why[DNS_WHY_MAX + 40];
	for (size_t k = 1; k < q->n; k++) /* a family that answers goes before one that does not */
		if (q->ask[k].answer.outcome == DNS_DATA ||
		    (a->outcome == DNS_NODATA && !dns_answered(&q->ask[k].answer)))
			a = &q->ask[k].answer;
	if (!q->n) {
		refuse("list", "is no list that is known here; write mx:DOMAIN", true);
	} else if (a->outcome == DNS_DATA && q->ask[0].type == DNS_MX) {
		list_names(a);
	} else if (a->outcome == DNS_DATA) {
		list_addresses(q);
	} else if (a->outcome == DNS_NODATA) {
		refuse("none", q->ask[0].type == DNS_MX ? "has no MX record" : "has no address", true);
	} else {
		snprintf(why, sizeof why, "the DNS: %s", a->why);
		refuse(a->outcome == DNS_NO_NAME ? "no name" : "dns", why, dns_answered(a));
	}
}

/* "192.0.2.53,[::1]:5353" of the first question; all have the same. */
static const char *resolvers(const cJSON *json, char *out, size_t size)
{
	const cJSON *r;
	size_t n = 0;
	out[0] = '\0';
	cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(json, "resolver")) if (cJSON_IsString(r) &&
										      n < size) n +=
	    (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", r->valuestring);
	return out;
}

static void understand(struct question *q)
{
	const char *from = json_str(q->json, "from", "");
	if (strncmp(from, "mx:", 3) == 0 && from[3]) {
		q->ask[q->n++] = (struct dns_ask){.name = from + 3, .type = DNS_MX, .flags = DNS_RD};
	} else if (strncmp(from, "address:", 8) == 0 && from[8]) {
		q->ask[q->n++] = (struct dns_ask){.name = from + 8, .type = DNS_A, .flags = DNS_RD};
		q->ask[q->n++] = (struct dns_ask){.name = from + 8, .type = DNS_AAAA, .flags = DNS_RD};
	}
}

static size_t read_questions(struct question *v)
{
	char *line = NULL;
	size_t cap = 0, n = 0;
	ssize_t len;
	while (n < QUESTIONS_MAX && (len = getline(&line, &cap, stdin)) > 0) {
		v[n].json = json_parse(line, (size_t)len, LINE_MAX, NULL);
		understand(&v[n++]);
	}
	free(line);
	return n;
}

static bool ask_all(struct question *v, size_t n, char *why, size_t size)
{
	char servers[SERVERS_TEXT];
	struct dns_ask *asks = calloc(2 * n + 1, sizeof *asks);
	size_t k = 0;
	dns_global_init();
	struct dns_net *net =
	    dns_open(resolvers(n ? v[0].json : NULL, servers, sizeof servers), LIMIT_MS, why, size);
	for (size_t i = 0; asks && i < n; i++)
		for (size_t j = 0; j < v[i].n; j++)
			asks[k++] = v[i].ask[j];
	if (asks && net)
		dns_ask_all(net, asks, k, clock_boot_ms() + LIMIT_MS);
	for (size_t i = k = 0; asks && net && i < n; i++)
		for (size_t j = 0; j < v[i].n; j++)
			v[i].ask[j] = asks[k++];
	free(asks);
	if (net)
		dns_close(net);
	return net != NULL;
}

int expand(void)
{
	struct question *v = calloc(QUESTIONS_MAX, sizeof *v);
	char why[200] = "";
	size_t n = v ? read_questions(v) : 0;
	bool ok = ask_all(v, n, why, sizeof why);
	for (size_t i = 0; i < n; i++) {
		if (ok)
			tell(&v[i]);
		else
			refuse("dns", why, false);
		dns_asks_fini(v[i].ask, v[i].n);
		cJSON_Delete(v[i].json);
	}
	free(v);
	return fflush(stdout) == 0 ? 0 : 1;
}
