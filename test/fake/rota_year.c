/*
 * The pure cores of "who must know" over simulated time, for test_rota_year.py, which has a model of its own.
 *
 *     rota_year year CONFIG    events on stdin, pages on stdout
 *     rota_year zones          "ZONE SECONDS" on stdin, the offset on stdout; "ZONE wall SECONDS": both times
 * it is shown
 *
 * An event: SECONDS KIND INCIDENT STATE SUPPRESSED, in the order of time; KIND is problem, recovery, ack
 * (STATE: by whom) or end. A page: SECONDS INCIDENT CONTACT KIND STATE, when it leaves. Each line takes each
 * page at once; the clock ticks by the minute while anything is open. The configuration is a real one, its
 * check "k" is what breaks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/internal.h"
#include "lib/file.h"
#include "pagerd/rules/escalation.h"
#include "pagerd/store/record.h"

enum { INCIDENTS = 4000, RESTART_EACH = 31 /* minutes */ };

static struct config *conf;
static struct contact_view *views;
static struct incident *incidents[INCIDENTS];
static size_t nincidents;
static uint64_t change;

static bool answer(void *arg, const char *libexec, const char *program, const char *option,
		   const struct buf *input, struct buf *out, char *why, size_t size)
{
	(void)arg;
	(void)libexec;
	(void)why;
	(void)size;
	if (strcmp(option, "--describe") == 0)
		return buf_puts(out, strcmp(program, "prober") == 0
					 ? "{\"v\":1,\"probes\":[{\"name\":\"load\",\"place\":\"local\","
					   "\"host_option\":null,\"options\":[]}]}"
					 : "{\"v\":1,\"name\":\"x\",\"options\":[]}");
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

static bool load(const char *path)
{
	static const struct conf_programs programs = {.run = answer};
	struct conf_files *files = calloc(1, sizeof *files);
	struct complaints c;
	complaints_init(&c);
	if (!file_read(path, &conf_files_add(files, path, "m.yaml")->bytes))
		return false;
	conf = config_build(files, "/nowhere", &programs, &c);
	complaints_print(&c, stderr);
	complaints_fini(&c);
	views = conf ? calloc(conf->ncontacts, sizeof *views) : NULL;
	for (size_t i = 0; views && i < conf->ncontacts; i++) {
		const struct conf_contact *k = &conf->contacts[i];
		views[i] = (struct contact_view){.name = k->name,
						 .repeat_ms = k->repeat_ms,
						 .recovery = k->recovery,
						 .forget_held = k->quiet && k->quiet->drop};
	}
	return views != NULL;
}

static struct stamp at(int64_t s)
{
	return (struct stamp){.wall_ms = s * 1000, .boot_ms = s * 1000, .boot_id = "boot"};
}

static struct incident *incident(uint64_t n)
{
	while (nincidents <= n)
		incidents[nincidents] = incident_new("k", nincidents + 1), nincidents++;
	return incidents[n];
}

/* What pagerd does in contacts.c. */
static void give(struct incident *i, const struct event *e, const struct stamp *now)
{
	const struct conf_check *check = config_check(conf, "k");
	struct contact_view who[2 * WHO_MAX];
	struct audience a;
	size_t nwho;
	escalation_concern(i, e, (const char *const *)check->contacts, check->ncontacts, now);
	escalation_look(i, conf, now, &a);
	for (nwho = 0; nwho < a.n; nwho++)
		who[nwho] = views[a.v[nwho].contact];
	for (size_t k = 0; k < conf->ncontacts; k++)
		if (!who_in(&a, k) && nwho < 2 * WHO_MAX) {
			who[nwho] = views[k];
			who[nwho++].bystander = true;
		}
	incident_event(i, e, who, nwho, now);
}

static void apply(const char *kind, uint64_t n, const char *word, bool suppressed, int64_t s)
{
	char why[200], text[] = "t";
	struct incident *i = incident(n);
	struct stamp now = at(s);
	struct event e = {.check = "k",
			  .change = ++change,
			  .opened = i->opened,
			  .measured = true,
			  .suppressed = suppressed,
			  .since = now,
			  .at = now,
			  .text = text};
	if (strcmp(kind, "ack") == 0) {
		incident_ack(i, word, "", views, conf->ncontacts, &now, why, sizeof why);
		return;
	}
	e.kind = strcmp(kind, "problem") == 0 ? EVENT_PROBLEM : EVENT_RECOVERY;
	if (e.kind == EVENT_PROBLEM)
		nag_from_name(word, &e.state);
	give(i, &e, &now);
}

/* True when a page left: then there may be more. */
static bool send_all(struct incident *i, const struct stamp *now)
{
	bool any = false;
	for (size_t k = 0; k < i->ncalls; k++) {
		struct call *c = i->calls[k];
		if (!call_may_leave(c, now))
			continue;
		printf("%" PRId64 " %" PRIu64 " %s %s %s\n", now->wall_ms / 1000, i->opened - 1, c->contact,
		       page_kind_name(c->kind), nag_name(c->state));
		call_outcome(c, call_begin(c, "l", "x", now)->n, OUTCOME_SENT, "", now, 0);
		any = true;
	}
	incident_settle(i, views, conf->ncontacts, now);
	return any;
}

/* pagerd dies and is started again: the record is all that is left. */
static struct incident *restart(struct incident *i)
{
	char why[200];
	cJSON *v = record_make(i);
	struct incident *again = record_read(v, why, sizeof why);
	cJSON_Delete(v);
	incident_free(i);
	return again;
}

/* One minute; true while anything is open. */
static bool tick(int64_t s)
{
	static unsigned ticks;
	struct stamp now = at(s);
	bool open = false;
	ticks++;
	for (size_t k = 0; k < nincidents; k++) {
		struct incident *i = incidents[k];
		if (!i || incident_is_over(i))
			continue;
		if (ticks % RESTART_EACH == 0 && !(i = incidents[k] = restart(i)))
			abort();
		do
			escalation_pass(i, conf, views, conf->ncontacts, &now);
		while (send_all(i, &now));
		open |= !incident_is_over(i);
	}
	return open;
}

static int year(void)
{
	char kind[16], word[32];
	int64_t s, clock = 0;
	uint64_t n;
	int suppressed;
	bool open = false;
	while (scanf("%" SCNd64 " %15s %" SCNu64 " %31s %d", &s, kind, &n, word, &suppressed) == 5) {
		for (; open && clock < s; clock += 60)
			open = tick(clock);
		clock = s;
		if (strcmp(kind, "end") == 0)
			break;
		if (n >= INCIDENTS)
			return 1;
		apply(kind, n, word, suppressed, s);
		open = true;
		tick(s);
		clock = s + 60;
	}
	for (size_t k = 0; k < nincidents; k++)
		incident_free(incidents[k]);
	free(views);
	config_free(conf);
	return 0;
}

static int zones(void)
{
	char line[200], name[TZ_NAME_MAX], word[16], why[200];
	struct tz *z = NULL;
	int64_t s;
	while (fgets(line, sizeof line, stdin)) {
		bool wall = sscanf(line, "%63s %15s %" SCNd64, name, word, &s) == 3;
		if (!wall && sscanf(line, "%63s %" SCNd64, name, &s) != 2)
			return 1;
		if (!z || strcmp(tz_name(z), name) != 0) {
			tz_free(z);
			z = tz_load(name, why, sizeof why);
		}
		if (!z)
			puts(why);
		else if (wall)
			printf("%" PRId64 " %" PRId64 "\n", tz_utc(z, s, false), tz_utc(z, s, true));
		else
			printf("%d\n", tz_offset(z, s));
	}
	tz_free(z);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "zones") == 0)
		return zones();
	if (argc == 3 && strcmp(argv[1], "year") == 0 && load(argv[2]))
		return year();
	return 1;
}
