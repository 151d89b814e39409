/*
 * Days of a mail host, faster than real time: the real probe log reads a Postfix log as it grows by a minute,
 * and the real rules look at what it found, at a queue and at a load. Quiet days, a Monday morning, a nightly
 * newsletter and a large old queue name nothing in any minute; the same days with an incident put into a
 * minute drawn by the seed are named right, and nothing else ever comes first. MAILDAY_SEED=N adds a seed.
 */
#include "mailday.h"

#include <unistd.h>

#include "lib/json.h"
#include "monitord/rules/diagnose.h"
#include "probes/log/log.h"
#include "probes/probe.h"

enum { NAMED_WITHIN = 3, SEEDS = 5, BEFORE = 15, AFTER = 30 };

/* How near busy days may come to a threshold: the highest of each fact, and what the rules ask for. */
static struct peak {
	const char *probe, *fact;
	double threshold, most;
} peaks[] = {{"log", "top_client_per_min", 600, 0},   {"log", "top_sasl_per_min", 60, 0},
	     {"log", "user_unknown_per_min", 100, 0}, {"log", "dns_failed_share", 0.8, 0},
	     {"log", "too_many_hops_per_min", 1, 0},  {"log", "listed_per_min", 5, 0},
	     {"log", "spf_rejected_per_min", 5, 0},   {"log", "disk_full_per_min", 1, 0},
	     {"queue", "growth_per_min", 600, 0},     {"log", "defer_domain_share", 0.6, 0},
	     {"log", "bounce_domain_share", 0.6, 0},  {"queue", "top_rcpt_share", 0.6, 0}};
enum { PEAKS = sizeof peaks / sizeof peaks[0] };

static struct diag_table table;
static struct mailday w;
static char path[] = "/tmp/mailday.XXXXXX";

/* A minute passes for the probe: its last run began one earlier. */
static void age_state(struct buf *state)
{
	struct log_state s;
	log_state_load(&s, buf_str(state), state->len, path);
	s.at.boot_ms -= 60000;
	buf_fini(state);
	buf_init(state, PROBE_STATE_MAX);
	log_state_save(&s, state, path);
}

static cJSON *run_log(struct buf *state)
{
	struct result r;
	struct log_conf conf = {.path = path, .top = 5, .read_time = 60000};
	struct probe_run run = {
	    .conf = &conf, .check = "log", .state = buf_str(state), .state_len = state->len, .result = &r};
	struct buf text;
	run.deadline = clock_boot_ms() + 120000;
	result_init(&r);
	buf_init(&run.newstate, PROBE_STATE_MAX);
	probe_find("log")->run(&run);
	assert_true(r.measured);
	buf_fini(state);
	*state = run.newstate;
	age_state(state);
	buf_init(&text, RESULT_FACTS_MAX + 8);
	buf_printf(&text, "{%s}", buf_str(&r.facts));
	cJSON *facts = json_parse(buf_str(&text), text.len, text.len, NULL);
	buf_fini(&text);
	result_fini(&r);
	return facts;
}

static double fact(const cJSON *facts, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(facts, name);
	if (strcmp(name, "dns_failed_share") == 0) /* of what is deferred, from 30 a minute on */
		return fact(facts, "dns_failed_per_min") < 30
			   ? 0
			   : fact(facts, "dns_failed_per_min") / fact(facts, "deferred_per_min");
	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* A share of few says nothing, and the rules ask for 30 and 50. */
static void measure(const cJSON *log, const cJSON *queue)
{
	for (size_t i = 0; i < PEAKS; i++) {
		struct peak *p = &peaks[i];
		double v = fact(p->probe[0] == 'l' ? log : queue, p->fact);
		if ((strcmp(p->fact, "defer_domain_share") == 0 && fact(log, "deferred_per_min") < 30) ||
		    (strcmp(p->fact, "bounce_domain_share") == 0 && fact(log, "bounced_per_min") < 30) ||
		    (strcmp(p->fact, "top_rcpt_share") == 0 && fact(queue, "total") < 50))
			continue;
		p->most = v > p->most ? v : p->most;
	}
}

static size_t names(struct buf *state, struct diag_name *found)
{
	char text[1500], members[1400];
	cJSON *log = run_log(state);
	md_queue(&w, members, sizeof members);
	snprintf(text, sizeof text, "{%s}", members);
	cJSON *queue = json_parse(text, strlen(text), sizeof text, NULL);
	cJSON *load = json_parse("{\"load1\":3.1,\"cores\":2}", 23, 100, NULL);
	assert_true(log && queue && load);
	const struct diag_check v[] = {
	    {.name = "log", .host = "", .probe = "log", .layer = "", .facts = log},
	    {.name = "queue", .host = "", .probe = "queue", .layer = "", .facts = queue},
	    {.name = "load", .host = "", .probe = "load", .layer = "", .facts = load},
	    {.name = "smtp", .host = "mx1", .probe = "smtp", .layer = ""},
	    {.name = "web", .host = "www", .probe = "http", .layer = ""}};
	size_t n = diagnose(&table, v, 5, NULL, found, DIAG_NAMES_MAX);
	if (!w.incident)
		measure(log, queue);
	if (getenv("MAILDAY_SHOW")) {
		char *s = cJSON_PrintUnformatted(log);
		printf("%d %s\n%s\n", w.minute, s, text);
		free(s);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < found[i].nbound; k++)
			found[i].bound[k] = NULL; /* gone with the facts */
	cJSON_Delete(log);
	cJSON_Delete(queue);
	cJSON_Delete(load);
	return n;
}

static const char *const expected[INCIDENTS] = {[BOMB] = "mail_bomb",
						[BOMB_AT_ONE] = "mail_bomb_at_one",
						[LOOP] = "mail_loop",
						[HARVEST] = "backscatter",
						[BOUNCES] = "backscatter",
						[STOLEN] = "auth_abuse",
						[THROTTLED] = "some_domains",
						[NO_DNS] = "dns_down",
						[LISTED] = "own_address_listed",
						[NO_SPF] = "spf_drift",
						[NO_ROOM] = "disk_full"};

/* Two rows say the same of the log and of the queue. */
static bool is_right(const char *name)
{
	const char *want = expected[w.incident];
	return strcmp(name, want) == 0 || (w.incident == THROTTLED && strncmp(name, want, strlen(want)) == 0);
}

/* One minute's names against what the day has; true when the incident was named. What is left of it in the
 * queue when it is over may be called what it then is. */
static bool judge(const struct diag_name *found, size_t n, unsigned seed)
{
	bool has = w.incident && w.minute >= w.from;
	if (n && (!has || (w.minute < w.until && !is_right(found[0].rule->name))))
		fail_msg("seed %u, day %d, incident %d at minute %d, in minute %d: %s (%s)", seed, (int)w.day,
			 (int)w.incident, w.from, w.minute, found[0].text, found[0].because);
	return n > 0;
}

/* What a large old queue hides: its bounces and its one dead domain look the same, whenever they came. */
static bool hidden(enum day day, enum incident what)
{
	return day == OLD_QUEUE && (what == BOUNCES || what == THROTTLED || what == BOMB_AT_ONE);
}

static void live(enum day day, enum incident what, unsigned seed, int begin, int end)
{
	struct diag_name found[DIAG_NAMES_MAX];
	struct buf state;
	int named = -1;
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	buf_init(&state, PROBE_STATE_MAX);
	md_begin(&w, f, day, what, seed);
	if (what) {
		begin = w.from - BEFORE;
		end = w.from + AFTER;
	}
	for (int minute = begin; minute < end; minute++) {
		md_minute(&w, minute);
		if (judge(found, names(&state, found), seed) && named < 0)
			named = minute;
	}
	if (what && !hidden(day, what) && (named < 0 || named > w.from + NAMED_WITHIN))
		fail_msg("seed %u, day %d: %s at minute %d, named %d", seed, (int)day, expected[what], w.from,
			 named);
	fclose(f);
	buf_fini(&state);
}

static void each_day(enum day day)
{
	const char *more = getenv("MAILDAY_SEED");
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		live(day, NONE, seed, 0, MINUTES);
	if (more)
		live(day, NONE, (unsigned)strtoul(more, NULL, 10), 0, MINUTES);
}

static void a_quiet_day(void **state)
{
	(void)state;
	each_day(QUIET);
}

static void a_monday(void **state)
{
	(void)state;
	each_day(MONDAY);
}

static void a_newsletter_in_the_night(void **state)
{
	(void)state;
	each_day(NEWSLETTER);
}

static void a_large_old_queue(void **state)
{
	(void)state;
	each_day(OLD_QUEUE);
}

/* Each incident on each kind of day; an old queue of its own hides no new trouble. */
static void an_incident_in_any_of_them(void **state)
{
	(void)state;
	const char *only = getenv("MAILDAY_INCIDENT"), *more = getenv("MAILDAY_SEED");
	for (enum incident what = BOMB; what < INCIDENTS; what++)
		for (enum day day = QUIET; day < DAYS; day++)
			if (!only || atoi(only) == (int)what)
				live(day, what, more ? (unsigned)strtoul(more, NULL, 10) : 1, 0, 0);
}

/* After the days: none came nearer to a threshold than three quarters of it. */
static void busy_days_leave_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEAKS; i++) {
		const struct peak *p = &peaks[i];
		print_message("%s.%s: at most %.2f, threshold %g\n", p->probe, p->fact, p->most,
			      p->threshold);
		if (p->most > 0.75 * p->threshold)
			fail_msg("%s.%s came to %.2f; the threshold is %g", p->probe, p->fact, p->most,
				 p->threshold);
	}
}

static int setup(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd >= 0 && close(fd) == 0 && diag_init(&table) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_quiet_day),
	    cmocka_unit_test(a_monday),
	    cmocka_unit_test(a_newsletter_in_the_night),
	    cmocka_unit_test(a_large_old_queue),
	    cmocka_unit_test(busy_days_leave_room),
	    cmocka_unit_test(an_incident_in_any_of_them),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
