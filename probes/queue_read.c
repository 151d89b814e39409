/*
 * The half of the queue probe that reads the spool: counts every queue of every
 * instance, and reads the few files that were drawn. Never holds more than the sample.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "postfix_file.h"
#include "probe.h"
#include "queue.h"
#include "reservoir.h"

const int64_t queue_age_limit_ms[QUEUE_AGES - 1] = {10 * 60000, 3600000, 24 * 3600000, 72 * 3600000};

/* One message that was drawn. */
struct item {
	uint16_t inst;
	uint8_t queue;
	char path[POSTFIX_PATH_MAX - 3]; /* below the queue directory */
};

struct draw {
	struct queue_seen *s;
	const struct queue_conf *conf;
	size_t inst; /* the one being counted */
	bool shaped[PQ_N];
	struct reservoir shape;
	struct reservoir
	    wait[PQ_INCOMING + 1]; /* maildrop and incoming, where mail waits for Postfix itself */
};

/* One file being read. */
struct reading {
	int fd;
	struct queue_shape *shape; /* NULL: only its arrival is wanted */
	unsigned rcpts;
};

bool queue_flows(enum postfix_queue q)
{
	return q <= PQ_DEFERRED;
}

bool queue_is_shaped(const struct queue_conf *conf, enum postfix_queue q)
{
	if (!conf->shape_queues.n)
		return queue_flows(q);
	for (size_t i = 0; i < conf->shape_queues.n; i++) {
		if (!strcmp(conf->shape_queues.v[i], postfix_queue_name(q)))
			return true;
	}
	return false;
}

uint64_t queue_total(const struct queue_seen *s)
{
	uint64_t sum = 0;

	for (int q = 0; q < PQ_CORRUPT; q++)
		sum += s->total[q];
	return sum;
}

static void put(struct item *it, size_t inst, enum postfix_queue q, const char *dir, const char *name)
{
	if (!it)
		return;
	it->inst = (uint16_t)inst;
	it->queue = (uint8_t)q;
	snprintf(it->path, sizeof(it->path), "%s/%s", dir, name);
}

static void entry(void *arg, enum postfix_queue q, const char *dir, const char *name)
{
	struct draw *d = arg;

	if (d->shaped[q])
		put(reservoir_offer(&d->shape), d->inst, q, dir, name);
	if (q <= PQ_INCOMING)
		put(reservoir_offer(&d->wait[q]), d->inst, q, dir, name);
}

/* --- counting --- */

static void count_trouble(struct queue_instance *in, const struct postfix_count *c)
{
	if (c->error == EACCES)
		queue_trouble(in, "permission", "may not read %s/%s: " QUEUE_GRANT, in->dir, c->at);
	else if (c->error && c->error != ENOENT)
		queue_trouble(in, "read", "cannot read %s/%s: %s", in->dir, c->at, strerror(c->error));
}

static void count(struct draw *d, int64_t deadline)
{
	struct postfix_scan scan = {.deadline = deadline, .entry = entry, .arg = d};
	struct queue_seen *s = d->s;

	for (d->inst = 0; d->inst < s->n; d->inst++) {
		struct queue_instance *in = &s->inst[d->inst];

		for (int q = 0; in->fd >= 0 && q < PQ_N; q++) {
			struct postfix_count *c = &in->count[q];

			postfix_spool_count(in->fd, (enum postfix_queue)q, &scan, c);
			count_trouble(in, c);
			s->total[q] += c->n;
			s->late |= c->late;
		}
	}
}

/* --- reading what was drawn --- */

static ssize_t read_at(void *arg, uint64_t off, void *to, size_t n)
{
	const struct reading *rd = arg;

	return pread(rd->fd, to, n, (off_t)off);
}

static void rcpt(void *arg, const char *address, bool done)
{
	struct reading *rd = arg;
	const char *at = strrchr(address, '@');
	char domain[POSTFIX_ADDRESS_MAX];
	size_t n = 0;

	if (done || !rd->shape || rd->rcpts++ >= QUEUE_RCPTS_MAX)
		return;
	top_add(rd->shape->rcpts, address);
	for (at = at ? at + 1 : ""; at[n] && n < sizeof(domain) - 1; n++)
		domain[n] = (char)(at[n] >= 'A' && at[n] <= 'Z' ? at[n] | 0x20 : at[n]);
	domain[n] = '\0';
	top_add(rd->shape->domains, n ? domain : "(no domain)");
}

static void account(struct queue_shape *sh, const struct postfix_file *f)
{
	char pair[sizeof(f->account) + sizeof(f->client) + 2];

	if (!f->account[0])
		return;
	sh->with_account++;
	top_add(sh->accounts, f->account);
	snprintf(pair, sizeof(pair), "%s\n%s", f->account, f->client);
	top_add(sh->account_clients, pair);
}

static void add_file(struct queue_shape *sh, const struct postfix_file *f, int64_t now_ms)
{
	int age = 0;

	sh->read++;
	if (f->has_sender && !f->sender[0])
		sh->null_senders++;
	top_add(sh->senders, f->sender[0] ? f->sender : "<>");
	if (f->client[0])
		top_add(sh->clients, f->client);
	else
		sh->local++;
	account(sh, f);
	while (age < QUEUE_AGES - 1 && now_ms - f->arrival_ms >= queue_age_limit_ms[age])
		age++;
	sh->age[age]++;
}

static void note_age(struct queue_age *a, int64_t ms)
{
	if (ms <= 0)
		return;
	a->read++;
	if (!a->oldest_ms || ms < a->oldest_ms)
		a->oldest_ms = ms;
}

static void not_opened(struct queue_shape *sh, int error)
{
	if (error == ENOENT) {
		sh->vanished++;
	} else if (error == EACCES || error == EPERM) {
		sh->denied++;
		sh->denied_error = error;
	} else {
		sh->broken++;
	}
}

/* Reads one file; to: what it is counted in. False when it told nothing. */
static bool read_file(int dirfd, const char *path, struct queue_shape *to, bool shaped,
		      struct postfix_file *f)
{
	struct reading rd = {.shape = shaped ? to : NULL};
	struct postfix_source src = {.read_at = read_at, .rcpt = rcpt, .arg = &rd};
	struct stat st;

	rd.fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (rd.fd < 0) {
		not_opened(to, errno);
		return false;
	}
	if (fstat(rd.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		to->broken++;
	} else if (!(st.st_mode & S_IXUSR)) {
		/* Postfix sets the x bit when the file is whole */
		to->incomplete++;
	} else {
		postfix_file_read(&src, f);
		close(rd.fd);
		if (f->has_sender && (f->end == POSTFIX_FILE_WHOLE || f->end == POSTFIX_FILE_LIMIT))
			return true;
		to->broken++;
		return false;
	}
	close(rd.fd);
	return false;
}

static void read_waiting(struct draw *d, int64_t deadline)
{
	for (int q = 0; q <= PQ_INCOMING; q++) {
		struct reservoir *r = &d->wait[q];
		struct queue_age *a = &d->s->age[q];
		struct queue_shape aside = {0}; /* counts that belong to nobody's shape */

		reservoir_shuffle(r);
		for (size_t i = 0; i < r->n && clock_boot_ms() < deadline; i++) {
			const struct item *it = reservoir_item(r, i);
			struct postfix_file f;

			if (read_file(d->s->inst[it->inst].fd, it->path, &aside, false, &f))
				note_age(a, f.arrival_ms);
		}
		/* what vanished went on, what is incomplete does not wait yet: neither makes it inexact */
		a->exact = a->read + aside.vanished + aside.incomplete == d->s->total[q];
	}
}

static void read_shape(struct draw *d, int64_t deadline)
{
	struct queue_seen *s = d->s;
	struct queue_shape *sh = &s->shape;
	struct reservoir *r = &d->shape;

	sh->of = r->seen;
	sh->want = r->n;
	reservoir_shuffle(r);
	for (size_t i = 0; i < r->n; i++) {
		const struct item *it = reservoir_item(r, i);
		struct postfix_file f;

		if (clock_boot_ms() >= deadline) {
			sh->late = true;
			break;
		}
		if (!read_file(s->inst[it->inst].fd, it->path, sh, true, &f))
			continue;
		add_file(sh, &f, s->now_ms);
		if (it->queue > PQ_INCOMING)
			note_age(&s->age[it->queue], f.arrival_ms);
	}
}

/* The names of long ids tell the age of every message, not only of those that were read. */
static void ages_from_names(struct queue_seen *s)
{
	for (int q = 0; q < PQ_N; q++) {
		struct queue_age *a = &s->age[q];
		uint64_t named = 0;

		if (a->exact)
			continue;
		for (size_t i = 0; i < s->n; i++) {
			const struct postfix_count *c = &s->inst[i].count[q];

			named += c->long_ids;
			if (c->oldest_id_ms && (!a->oldest_ms || c->oldest_id_ms < a->oldest_ms))
				a->oldest_ms = c->oldest_id_ms;
		}
		a->exact = !s->late && (named == s->total[q] || a->read == s->total[q]);
	}
}

static bool shape_init(struct queue_shape *sh)
{
	struct top **tops[] = {&sh->senders, &sh->rcpts,    &sh->domains,
			       &sh->clients, &sh->accounts, &sh->account_clients};

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		*tops[i] = top_new(QUEUE_TOP_ROOM);
		if (!*tops[i])
			return false;
	}
	return true;
}

static bool draw_init(struct draw *d, uint64_t seed)
{
	bool ok = reservoir_init(&d->shape, (size_t)d->conf->sample, sizeof(struct item), seed);

	for (int q = 0; q <= PQ_INCOMING; q++)
		ok = reservoir_init(&d->wait[q], QUEUE_WAIT_SAMPLE, sizeof(struct item),
				    seed + 1 + (uint64_t)q) &&
		     ok;
	for (int q = 0; q < PQ_N; q++)
		d->shaped[q] = queue_is_shaped(d->conf, (enum postfix_queue)q);
	return ok && shape_init(&d->s->shape);
}

bool queue_read(struct queue_seen *s, const struct queue_conf *conf, struct probe_run *run, uint64_t seed)
{
	struct draw d = {.s = s, .conf = conf};
	int64_t start = clock_boot_us(), counted, deadline = run->deadline;
	bool ok = draw_init(&d, seed);

	s->now_ms = clock_wall_ms();
	if (ok) {
		probe_at(run, "getdents64 of a Postfix queue");
		count(&d, deadline);
		counted = clock_boot_us();
		s->count_us = counted - start;
		if (deadline > clock_boot_ms() + conf->shape_time)
			deadline = clock_boot_ms() + conf->shape_time;
		probe_at(run, "reading a Postfix queue file");
		read_waiting(&d, deadline);
		read_shape(&d, deadline);
		s->shape_us = clock_boot_us() - counted;
		ages_from_names(s);
	}
	reservoir_fini(&d.shape);
	for (int q = 0; q <= PQ_INCOMING; q++)
		reservoir_fini(&d.wait[q]);
	return ok;
}

void queue_seen_fini(struct queue_seen *s)
{
	struct queue_shape *sh = &s->shape;

	for (size_t i = 0; i < s->n; i++) {
		if (s->inst[i].fd >= 0)
			close(s->inst[i].fd);
	}
	free(s->inst);
	top_free(sh->senders);
	top_free(sh->rcpts);
	top_free(sh->domains);
	top_free(sh->clients);
	top_free(sh->accounts);
	top_free(sh->account_clients);
	memset(s, 0, sizeof(*s));
}
