/*
 * Fuzzes the configuration: bytes to trees, sections, options, proof. The input is the main file; a
 * line "%%NAME" begins another one: conf.d's NAME, or, for the names "prober", "notifier" and "answers", what
 * `prober --describe`, `notify_X --describe` and the --validate programs print. No program is run; of files only
 * time zones and lists of holidays are read.
 * Beyond not crashing: a configuration comes out exactly when nothing was complained about, and then it
 * keeps what its header promises.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char prober[] =
	"{\"v\":1,\"probes\":[{\"name\":\"smtp\",\"place\":\"net\",\"host_option\":\"host\",\"options\":["
	"{\"name\":\"host\",\"type\":\"string\",\"required\":true},{\"name\":\"port\",\"type\":\"int\",\"min\":1,\"max\":65535},"
	"{\"name\":\"starttls\",\"type\":\"bool\"},{\"name\":\"warning\",\"type\":\"range\"},{\"name\":\"expect\",\"type\":\"list\"},"
	"{\"name\":\"wait\",\"type\":\"duration\"},{\"name\":\"size\",\"type\":\"size\"},{\"name\":\"rate\",\"type\":\"number\"},"
	"{\"name\":\"auth\",\"type\":\"enum\",\"choices\":[\"plain\",\"login\"]},{\"name\":\"password_file\",\"type\":\"secret\"}]},"
	"{\"name\":\"disk\",\"place\":\"local\",\"host_option\":null,\"options\":[{\"name\":\"path\",\"type\":\"path\"}]}]}";
static const char notifier[] = "{\"v\":1,\"name\":\"sms\",\"options\":[{\"name\":\"device\",\"type\":\"string\",\"required\":true}]}";

struct parts {
	char *prober, *notifier, *answers; /* NULL: the default */
};

static bool answer(void *arg, const char *libexec, const char *program, const char *option, const struct buf *input,
		   struct buf *out, char *why, size_t size)
{
	const struct parts *p = arg;
	(void)libexec;
	(void)why;
	(void)size;
	if (strcmp(option, "--describe") == 0) {
		bool is_prober = strcmp(program, "prober") == 0;
		const char *given = is_prober ? p->prober : p->notifier;
		return buf_puts(out, given ? given : is_prober ? prober : notifier);
	}
	if (p->answers)
		return buf_puts(out, p->answers);
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

/* One part of the input to where its name says. */
static void take(struct conf_files *files, struct parts *p, const char *name, const uint8_t *bytes, size_t len)
{
	char **to = strcmp(name, "prober") == 0	   ? &p->prober
		    : strcmp(name, "notifier") == 0 ? &p->notifier
		    : strcmp(name, "answers") == 0  ? &p->answers
						    : NULL;
	if (to) {
		free(*to);
		*to = strndup((const char *)bytes, len);
		return;
	}
	struct conf_file *f = conf_files_add(files, name, name);
	assert(f);
	buf_add(&f->bytes, bytes, len);
}

static void split(struct conf_files *files, struct parts *p, const uint8_t *data, size_t size)
{
	char name[32] = "m.yaml";
	for (int i = 0; i < 16; i++) {
		const uint8_t *end = memmem(data, size, "\n%%", 3);
		take(files, p, name, data, end ? (size_t)(end - data) : size);
		if (!end)
			return;
		size -= (size_t)(end + 3 - data);
		data = end + 3;
		const uint8_t *nl = memchr(data, '\n', size);
		size_t len = nl ? (size_t)(nl - data) : size;
		size_t copied = len < sizeof(name) - 1 ? len : sizeof(name) - 1;
		memcpy(name, data, copied);
		name[copied] = '\0';
		data += len;
		size -= len;
	}
}

/* Somebody is always on duty, whenever that is asked, and a ladder tells somebody at each step. */
static void promises_of_duty(const struct config *conf)
{
	const int64_t times[] = {0, 1774746000, 1795834800, 1811113200, 2524608000};
	for (size_t i = 0; i < conf->ngroups; i++)
		assert(conf->groups[i].nmembers);
	for (size_t i = 0; i < conf->nrotas; i++)
		for (size_t t = 0; t < 5; t++) {
			struct duty d = rota_at(&conf->rotas[i].rota, times[t]);
			const struct who_ref *who;
			assert(d.entry == ROTA_NEVER || rota_names(&conf->rotas[i].rota, &d, &who));
		}
	for (size_t i = 0; i < conf->nladders; i++)
		for (size_t k = 0; k < conf->ladders[i].ladder.nsteps; k++) {
			const struct ladder_step *s = &conf->ladders[i].ladder.steps[k];
			assert(s->nwho || s->all);
		}
	for (size_t i = 0; i < conf->ncontacts; i++)
		assert(!quiet_until(conf->contacts[i].quiet, NAG_CRITICAL, times[2]));
}

static void promises(const struct config *conf)
{
	struct who_ref ref;
	assert(conf->spool && conf->libexec && conf->source && strlen(conf->digest) == 16);
	assert(conf->beat_limit_ms >= 3 * conf->beat_ms && conf->history > 0);
	for (size_t i = 0; i < conf->nchecks; i++) {
		const struct conf_check *k = &conf->checks[i];
		assert(k->name[0] && strlen(k->name) <= CONF_NAME_BYTES && !strchr(k->name, '/') && k->name[0] != '.');
		assert(config_check(conf, k->name) == k);
		assert(k->probe[0] && cJSON_IsObject(k->options));
		assert(k->interval_ms >= 100 && k->timeout_ms >= 100 && k->max_check_attempts >= 1);
		assert(k->ncontacts || conf->ndefault_contacts);
		for (size_t j = 0; j < k->nparents; j++)
			assert(strcmp(k->parents[j], "self") == 0 || config_check(conf, k->parents[j]));
		for (size_t j = 0; j < k->ncontacts; j++)
			assert(who_find(conf, k->contacts[j], &ref));
	}
	for (size_t i = 0; i < conf->ncontacts; i++) {
		assert(conf->contacts[i].nroutes);
		for (size_t j = 0; j < conf->contacts[i].nroutes; j++) {
			const struct conf_route *r = &conf->contacts[i].routes[j];
			assert(r->to[0] && config_line(conf, r->line));
			assert(!conf->has_last_resort || strcmp(r->line, conf->last_resort.line) != 0);
		}
	}
	assert(!conf->has_last_resort || config_line(conf, conf->last_resort.line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts parts = {NULL, NULL, NULL};
	struct conf_programs programs = {.run = answer, .arg = &parts};
	struct conf_files *files = calloc(1, sizeof(*files));
	struct complaints c;
	struct buf out;

	complaints_init(&c);
	split(files, &parts, data, size);
	struct config *conf = config_build(files, "/nowhere", &programs, &c);
	assert(!conf == (c.n > 0));
	if (conf) {
		promises(conf);
		promises_of_duty(conf);
	}
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < c.n; i++)
		complaint_format(&c.v[i], &out);
	buf_fini(&out);
	config_free(conf);
	complaints_fini(&c);
	free(parts.prober);
	free(parts.notifier);
	free(parts.answers);
	return 0;
}
