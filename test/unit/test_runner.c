/*
 * The prober's runner with probes made for the purpose: deadlines, queue, store, cancel,
 * runs that do not come back. Conditions are waited for, never slept for.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/clock.h"
#include "probes/prober/runner.h"

/* --- probes ------------------------------------------------------------------------------------------ */

static atomic_bool gate_open; /* blocked probes wait for it */
static atomic_int running;    /* how many are in their run right now */
static atomic_int stores_ok, stores_bad;

static void run_quick(struct probe_run *run)
{
	result_set(run->result, NAG_OK, "quick %s", run->check);
	buf_puts(&run->newstate, run->state);
	buf_puts(&run->newstate, "+");
}

static void run_blocked(struct probe_run *run)
{
	probe_at_name(run, "statvfs", "/hung");
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&gate_open))
		usleep(1000);
	atomic_fetch_sub(&running, 1);
	result_set(run->result, NAG_OK, "came back");
}

static void run_storing(struct probe_run *run)
{
	bool ok = run->store(run, "token", 5);

	atomic_fetch_add(ok ? &stores_ok : &stores_bad, 1);
	result_set(run->result, ok ? NAG_OK : NAG_CRITICAL, "%s", ok ? "stored" : "not stored");
}

static void run_cancellable(struct probe_run *run)
{
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&run->cancelled))
		usleep(1000);
	atomic_fetch_sub(&running, 1);
}

static const struct opt no_opts[] = { { 0 } };
static const struct probe quick = { .name = "quick", .opts = no_opts, .run = run_quick };
static const struct probe blocked = { .name = "blocked", .opts = no_opts, .run = run_blocked };
static const struct probe storing = { .name = "storing", .opts = no_opts, .run = run_storing };
static const struct probe cancellable = { .name = "cancellable", .opts = no_opts, .run = run_cancellable };

/* --- a session that writes down what it is told ------------------------------------------------------ */

struct session {
	pthread_mutex_t lock;
	int done, held, retired, stores;
	char last_id[REQUEST_ID_MAX], last_text[2048], last_state[64], last_layer[24],
		stored_id[REQUEST_ID_MAX], why[256];
	enum nag_state state;
	bool measured;
	double run_ms;
};

static void on_done(void *arg, const struct runner_done *d)
{
	struct session *s = arg;

	pthread_mutex_lock(&s->lock);
	assert_true(s->held > 0);
	s->done++;
	snprintf(s->last_id, sizeof s->last_id, "%s", d->id);
	snprintf(s->last_text, sizeof s->last_text, "%s", buf_str(&d->result->text));
	snprintf(s->last_state, sizeof s->last_state, "%.*s", (int)d->state_len, d->state);
	snprintf(s->last_layer, sizeof s->last_layer, "%s", d->result->layer);
	s->state = d->result->state;
	s->measured = d->result->measured;
	s->run_ms = d->run_ms;
	pthread_mutex_unlock(&s->lock);
}

static bool on_store(void *arg, const char *id, const char *state, size_t len)
{
	struct session *s = arg;

	pthread_mutex_lock(&s->lock);
	assert_true(len == 5 && memcmp(state, "token", 5) == 0);
	snprintf(s->stored_id, sizeof s->stored_id, "%s", id);
	s->stores++;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static void on_retire(void *arg, const char *why)
{
	struct session *s = arg;

	pthread_mutex_lock(&s->lock);
	s->retired++;
	snprintf(s->why, sizeof s->why, "%s", why);
	pthread_mutex_unlock(&s->lock);
}

static void count(struct session *s, int by)
{
	pthread_mutex_lock(&s->lock);
	s->held += by;
	pthread_mutex_unlock(&s->lock);
}

static void on_hold(void *arg)
{
	count(arg, 1);
}

static void on_released(void *arg)
{
	count(arg, -1);
}

static const struct runner_calls calls = {
	.done = on_done, .store = on_store, .retire = on_retire, .hold = on_hold, .released = on_released,
};

static int get(struct session *s, const int *field)
{
	pthread_mutex_lock(&s->lock);
	int v = *field;
	pthread_mutex_unlock(&s->lock);
	return v;
}

/* Waits until *field is v; false after half a minute. */
static bool becomes(struct session *s, const int *field, int v)
{
	for (int i = 0; i < 30000; i++) {
		if (get(s, field) == v)
			return true;
		usleep(1000);
	}
	return false;
}

static bool running_becomes(int v)
{
	for (int i = 0; i < 30000; i++) {
		if (atomic_load(&running) == v)
			return true;
		usleep(1000);
	}
	return false;
}

struct fixture {
	struct session s;
	struct runner *r;
};

static void start(struct fixture *f, size_t threads)
{
	char why[200];

	memset(f, 0, sizeof *f);
	pthread_mutex_init(&f->s.lock, NULL);
	atomic_store(&gate_open, false);
	atomic_store(&running, 0);
	f->r = runner_new(threads, &calls, why, sizeof why);
	assert_non_null(f->r);
}

static void submit(struct fixture *f, const struct probe *p, const char *id, int64_t timeout_ms)
{
	struct request q = { .kind = REQUEST_RUN,
			     .probe = p,
			     .timeout_ms = timeout_ms,
			     .conf = calloc(1, 8),
			     .state = strdup("s"),
			     .state_len = 1,
			     .check = "c" };

	snprintf(q.id, sizeof q.id, "%s", id);
	runner_submit(f->r, &f->s, &q);
}

static void finish(struct fixture *f)
{
	atomic_store(&gate_open, true);
	assert_true(becomes(&f->s, &f->s.held, 0));
	assert_true(runner_free(f->r, 30000));
}

/* --- tests ------------------------------------------------------------------------------------------- */

static void runs_and_answers(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4);
	for (int i = 0; i < 1000; i++)
		submit(&f, &quick, "job", 60000);
	assert_true(becomes(&f.s, &f.s.done, 1000));
	assert_string_equal(f.s.last_id, "job");
	assert_string_equal(f.s.last_text, "quick c");
	assert_string_equal(f.s.last_state, "s+");
	assert_int_equal(f.s.state, NAG_OK);
	assert_true(f.s.measured);
	finish(&f);
}

static void one_thread_per_run_up_to_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 40);
	for (int i = 0; i < 60; i++)
		submit(&f, &blocked, "b", 60000);
	assert_true(running_becomes(40));
	assert_int_equal(get(&f.s, &f.s.done), 0);
	finish(&f);
	assert_int_equal(f.s.done, 60);
	assert_string_equal(f.s.last_text, "came back");
}

static void waiting_counts_before_the_deadline(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1);
	submit(&f, &blocked, "first", 60000);
	assert_true(running_becomes(1));
	submit(&f, &quick, "second", 200);
	assert_true(becomes(&f.s, &f.s.done, 1));
	assert_string_equal(f.s.last_id, "second");
	assert_int_equal(f.s.state, NAG_UNKNOWN);
	assert_false(f.s.measured);
	assert_non_null(strstr(f.s.last_text, "waited"));
	assert_non_null(strstr(f.s.last_text, "1 threads"));
	assert_int_equal(f.s.retired, 0);
	finish(&f);
	assert_int_equal(f.s.done, 2);
}

static void the_queue_is_bounded(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1);
	submit(&f, &blocked, "b", 600000);
	assert_true(running_becomes(1));
	for (int i = 0; i < RUNNER_QUEUE_MAX; i++)
		submit(&f, &quick, "q", 600000);
	assert_int_equal(get(&f.s, &f.s.done), 0);
	submit(&f, &quick, "over", 600000);
	assert_int_equal(get(&f.s, &f.s.done), 1);
	assert_string_equal(f.s.last_id, "over");
	assert_non_null(strstr(f.s.last_text, "queue is full"));
	assert_false(f.s.measured);
	finish(&f);
	assert_int_equal(f.s.done, RUNNER_QUEUE_MAX + 2);
}

static void stuck_is_answered_and_retires(void **state)
{
	struct fixture f;
	int64_t began = clock_boot_ms();

	(void)state;
	start(&f, 2);
	submit(&f, &blocked, "hung", 100);
	assert_true(becomes(&f.s, &f.s.retired, 1));
	int64_t took = clock_boot_ms() - began;
	assert_true(took >= 100 + RUNNER_STUCK_MS && took < 100 + RUNNER_STUCK_MS + 5000);
	assert_int_equal(f.s.done, 1);
	assert_int_equal(f.s.state, NAG_UNKNOWN);
	assert_false(f.s.measured);
	assert_string_equal(f.s.last_layer, "blocked");
	assert_non_null(strstr(f.s.last_text, "blocked in statvfs /hung"));
	assert_string_equal(f.s.why, "blocked in statvfs /hung");
	assert_true(f.s.run_ms >= 100 + RUNNER_STUCK_MS);
	/* nothing waits for the thread, others run on */
	submit(&f, &quick, "other", 10000);
	assert_true(becomes(&f.s, &f.s.done, 2));
	assert_string_equal(f.s.last_id, "other");
	assert_true(becomes(&f.s, &f.s.held, 0));
	assert_false(runner_free(f.r, 100));
	/* when it comes back after all, nobody is told */
	finish(&f);
	assert_int_equal(f.s.done, 2);
}

static void store_waits_for_its_answer(void **state)
{
	static const bool answers[] = { true, false };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		start(&f, 2);
		submit(&f, &storing, "st", 60000);
		assert_true(becomes(&f.s, &f.s.stores, 1));
		assert_string_equal(f.s.stored_id, "st");
		assert_int_equal(get(&f.s, &f.s.done), 0);
		runner_stored(f.r, &f.s, "another", true);
		runner_stored(f.r, &f.r, "st", true); /* another session's */
		assert_int_equal(get(&f.s, &f.s.done), 0);
		runner_stored(f.r, &f.s, "st", answers[i]);
		assert_true(becomes(&f.s, &f.s.done, 1));
		assert_int_equal(f.s.state, answers[i] ? NAG_OK : NAG_CRITICAL);
		finish(&f);
	}
}

static void store_without_answer_ends_at_the_deadline(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 2);
	submit(&f, &storing, "st", 300);
	assert_true(becomes(&f.s, &f.s.done, 1));
	assert_string_equal(f.s.last_text, "not stored");
	assert_true(f.s.run_ms >= 250);
	finish(&f);
}

static void store_fails_when_input_ended(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 2);
	submit(&f, &storing, "st", 60000);
	assert_true(becomes(&f.s, &f.s.stores, 1));
	runner_no_answers(f.r, &f.s);
	assert_true(becomes(&f.s, &f.s.done, 1));
	assert_string_equal(f.s.last_text, "not stored");
	assert_true(f.s.run_ms < 30000);
	finish(&f);
}

static void cancelled_is_never_answered(void **state)
{
	struct fixture f;
	int bad = atomic_load(&stores_bad);

	(void)state;
	start(&f, 2);
	submit(&f, &cancellable, "run", 60000);
	submit(&f, &storing, "store", 60000);
	assert_true(running_becomes(1));
	assert_true(becomes(&f.s, &f.s.stores, 1));
	submit(&f, &quick, "queued", 60000); /* both threads are busy */
	runner_cancel(f.r, &f.s, "queued");
	runner_cancel(f.r, &f.s, "store");
	runner_cancel(f.r, &f.s, "run");
	runner_cancel(f.r, &f.s, "unheard of");
	assert_true(running_becomes(0));
	finish(&f);
	assert_int_equal(f.s.done, 0);
	assert_int_equal(atomic_load(&stores_bad), bad + 1);
}

static void a_session_that_is_gone_is_forgotten(void **state)
{
	struct fixture f;
	struct session other = { 0 };

	(void)state;
	start(&f, 2);
	pthread_mutex_init(&other.lock, NULL);
	submit(&f, &cancellable, "a", 60000);
	submit(&f, &cancellable, "b", 60000);
	assert_true(running_becomes(2));
	submit(&f, &quick, "c", 60000);
	struct request q = { .kind = REQUEST_RUN,
			     .probe = &quick,
			     .timeout_ms = 60000,
			     .id = "o",
			     .check = "c",
			     .conf = calloc(1, 8),
			     .state = strdup("") };
	runner_submit(f.r, &other, &q);
	runner_forget(f.r, &f.s);
	assert_true(becomes(&f.s, &f.s.held, 0));
	assert_true(becomes(&other, &other.done, 1));
	assert_true(becomes(&other, &other.held, 0));
	finish(&f);
	assert_int_equal(f.s.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_and_answers),
		cmocka_unit_test(one_thread_per_run_up_to_the_limit),
		cmocka_unit_test(waiting_counts_before_the_deadline),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(stuck_is_answered_and_retires),
		cmocka_unit_test(store_waits_for_its_answer),
		cmocka_unit_test(store_without_answer_ends_at_the_deadline),
		cmocka_unit_test(store_fails_when_input_ended),
		cmocka_unit_test(cancelled_is_never_answered),
		cmocka_unit_test(a_session_that_is_gone_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
