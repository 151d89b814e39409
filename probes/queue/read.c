/*
 * The half of the queue probe that looks: counts every stage of every spool, and reads the few
 * messages that were drawn. Never holds more than the sample.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "probes/probe.h"
#include "reservoir.h"
#include "shape.h"
#include "walk.h"

/* One message that was drawn. */
struct item {
	uint16_t inst;
	uint8_t stage;
	char path[QUEUE_PATH_MAX - 3]; /* below the instance's directory */
};

struct draw {
	struct queue_seen *s;
	struct reservoir shape;
	struct reservoir wait[QUEUE_STAGES_MAX]; /* of the stages where mail waits for the agent itself */
	char *text;
};

static void put(struct item *it, size_t inst, size_t stage, const char *dir, const char *name)
{
	if (!it)
		return;
	it->inst = (uint16_t)inst;
	it->stage = (uint8_t)stage;
	snprintf(it->path, sizeof(it->path), "%s/%s", dir, name);
}

static void entry(void *arg, const struct queue_instance *in, size_t stage, const char *dir, const char *name)
{
	struct draw *d = arg;
	size_t inst = (size_t)(in - d->s->inst);

	if (d->s->stage[stage].shaped)
		put(reservoir_offer(&d->shape), inst, stage, dir, name);
	if (d->s->stage[stage].kind == QUEUE_WAITS)
		put(reservoir_offer(&d->wait[stage]), inst, stage, dir, name);
}

/* --- asking the agent instead --- */

static void asked_message(void *arg, size_t stage, const struct queue_message *m)
{
	struct draw *d = arg;
	struct queue_stage *st = &d->s->stage[stage];

	queue_age_note(&st->age, m->arrival_ms);
	if (st->shaped) {
		d->s->shape.of++;
		d->s->shape.want++;
		d->s->shape.asked++;
		queue_shape_add(&d->s->shape, m, d->s->now_ms);
	}
}

static void asked_rcpt(void *arg, const char *address, bool done)
{
	struct draw *d = arg;

	queue_shape_rcpt(&d->s->shape, address, done);
}

/* The spool may not be read: does the running agent tell? */
static void ask(struct draw *d, struct queue_instance *in, int64_t deadline)
{
	struct queue_asking a = {.deadline = deadline, .message = asked_message, .arg = d};

	a.sink = (struct queue_sink){.rcpt = asked_rcpt, .arg = d};
	memset(in->count, 0, sizeof(in->count));
	if (!d->s->mta->ask(in, &a, d->text))
		return;
	in->asked = true;
	in->trouble[0] = in->layer[0] = '\0';
}

/* --- counting --- */

static void count(struct draw *d, int64_t deadline, struct queue_scan *scan)
{
	struct queue_seen *s = d->s;

	for (size_t i = 0; i < s->n; i++) {
		struct queue_instance *in = &s->inst[i];

		if (in->fd < 0)
			continue;
		s->mta->count(scan, s, in);
		if (!strcmp(in->layer, "permission") && s->mta->ask)
			ask(d, in, deadline);
		for (size_t k = 0; k < s->stages; k++)
			s->stage[k].n += in->count[k].n;
	}
	s->late = scan->late;
}

/* --- reading what was drawn --- */

enum queue_got queue_not_opened(int error)
{
	if (error == ENOENT)
		return QUEUE_GONE;
	return error == EACCES || error == EPERM ? QUEUE_REFUSED : QUEUE_DAMAGED;
}

enum queue_got queue_slurp(int dirfd, const char *path, char *text, struct queue_slice *got, bool *whole,
			   int64_t *mtime_ms)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return queue_not_opened(errno);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, text, QUEUE_TEXT_MAX, 0);
	close(fd);
	if (n < 0)
		return QUEUE_DAMAGED;
	got->at = text;
	got->len = (size_t)n;
	*whole = n < QUEUE_TEXT_MAX;
	if (mtime_ms)
		*mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000;
	return QUEUE_GOT;
}

static enum queue_got read_item(struct draw *d, const struct item *it, const struct queue_sink *to,
				struct queue_message *m)
{
	memset(m, 0, sizeof(*m));
	return d->s->mta->read(&d->s->inst[it->inst], it->path, d->text, to, m);
}

static void read_waiting(struct draw *d, size_t stage, int64_t deadline)
{
	const struct queue_sink nowhere = {0};
	struct reservoir *r = &d->wait[stage];
	struct queue_age *a = &d->s->stage[stage].age;
	uint64_t gone = 0;

	reservoir_shuffle(r);
	for (size_t i = 0; i < r->n && clock_boot_ms() < deadline; i++) {
		struct queue_message m;
		enum queue_got got = read_item(d, reservoir_item(r, i), &nowhere, &m);

		if (got == QUEUE_GOT)
			queue_age_note(a, m.arrival_ms);
		else if (got == QUEUE_GONE || got == QUEUE_UNFINISHED)
			gone++;
	}
	/* what vanished went on, what is incomplete does not wait yet: neither makes it inexact */
	a->exact = a->read + gone == d->s->stage[stage].n;
}

static void shape_rcpt(void *arg, const char *address, bool done)
{
	queue_shape_rcpt(arg, address, done);
}

static void read_shape(struct draw *d, int64_t deadline)
{
	struct queue_seen *s = d->s;
	struct queue_shape *sh = &s->shape;
	const struct queue_sink to = {.rcpt = shape_rcpt, .arg = sh};
	struct reservoir *r = &d->shape;

	sh->of += r->seen;
	sh->want += r->n;
	reservoir_shuffle(r);
	for (size_t i = 0; i < r->n; i++) {
		const struct item *it = reservoir_item(r, i);
		struct queue_message m;
		enum queue_got got;

		if (clock_boot_ms() >= deadline) {
			sh->late = true;
			break;
		}
		got = read_item(d, it, &to, &m);
		if (got != QUEUE_GOT) {
			queue_shape_miss(sh, got, errno);
			continue;
		}
		queue_shape_add(sh, &m, s->now_ms);
		if (s->stage[it->stage].kind != QUEUE_WAITS)
			queue_age_note(&s->stage[it->stage].age, m.arrival_ms);
	}
}

/* Names that tell the time tell the age of every message, not only of those that were read. */
static void ages_from_names(struct queue_seen *s)
{
	for (size_t k = 0; k < s->stages; k++) {
		struct queue_age *a = &s->stage[k].age;
		uint64_t named = 0;

		if (a->exact)
			continue;
		for (size_t i = 0; i < s->n; i++) {
			const struct queue_count *c = &s->inst[i].count[k];

			named += c->named;
			if (c->oldest_ms && (!a->oldest_ms || c->oldest_ms < a->oldest_ms))
				a->oldest_ms = c->oldest_ms;
		}
		a->exact = !s->late && (named == s->stage[k].n || a->read == s->stage[k].n);
	}
}

static bool is_shaped(const struct queue_seen *s, const struct queue_conf *conf, const struct queue_stage *st)
{
	if (st->opaque || st->part)
		return false;
	if (s->by_domain)
		return st->kind == QUEUE_DEFERS;
	if (!conf->shape_queues.n)
		return queue_flows(st);
	for (size_t i = 0; i < conf->shape_queues.n; i++) {
		if (!strcmp(conf->shape_queues.v[i], st->name))
			return true;
	}
	return false;
}

static bool draw_init(struct draw *d, const struct queue_conf *conf, uint64_t seed)
{
	struct queue_seen *s = d->s;
	bool ok = reservoir_init(&d->shape, (size_t)conf->sample, sizeof(struct item), seed);

	for (size_t k = 0; k < s->stages; k++) {
		size_t most = s->stage[k].kind == QUEUE_WAITS ? QUEUE_WAIT_SAMPLE : 0;

		s->stage[k].shaped = conf->sample > 0 && is_shaped(s, conf, &s->stage[k]);
		ok = reservoir_init(&d->wait[k], most, sizeof(struct item), seed + 1 + k) && ok;
	}
	d->text = malloc(QUEUE_TEXT_MAX);
	return ok && d->text && queue_shape_init(&s->shape, s->by_domain);
}

static void draw_fini(struct draw *d)
{
	reservoir_fini(&d->shape);
	for (size_t k = 0; k < d->s->stages; k++)
		reservoir_fini(&d->wait[k]);
	free(d->text);
}

static void look(struct draw *d, const struct queue_conf *conf, struct probe_run *run,
		 struct queue_scan *scan)
{
	struct queue_seen *s = d->s;
	int64_t start = clock_boot_us(), counted, deadline = run->deadline;

	s->now_ms = clock_wall_ms();
	scan->entry = entry;
	scan->arg = d;
	probe_at(run, "getdents64 of a mail queue");
	count(d, deadline, scan);
	counted = clock_boot_us();
	s->count_us = counted - start;
	if (deadline > clock_boot_ms() + conf->shape_time)
		deadline = clock_boot_ms() + conf->shape_time;
	probe_at(run, "reading a queue file");
	for (size_t k = 0; k < s->stages; k++) {
		if (s->stage[k].kind == QUEUE_WAITS)
			read_waiting(d, k, deadline);
	}
	read_shape(d, deadline);
	s->shape_us = clock_boot_us() - counted;
	ages_from_names(s);
}

bool queue_read(struct queue_seen *s, const struct queue_conf *conf, struct probe_run *run, uint64_t seed)
{
	struct draw d = {.s = s};
	struct queue_scan scan = {0};
	bool ok = draw_init(&d, conf, seed) && queue_scan_init(&scan, run->deadline);

	if (ok)
		look(&d, conf, run, &scan);
	queue_scan_fini(&scan);
	draw_fini(&d);
	return ok;
}

void queue_seen_fini(struct queue_seen *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->inst[i].fd >= 0)
			close(s->inst[i].fd);
	}
	free(s->inst);
	queue_shape_fini(&s->shape);
	memset(s, 0, sizeof(*s));
}
