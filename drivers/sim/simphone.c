/*
 * Shows what arrives, for simmodem_main.c. At most 16 long messages are held while their parts arrive; the
 * oldest one is then shown as it is.
 */
#include "simphone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"

enum { HELD_MAX = 16, PARTS_MAX = 10 };

struct held {
	char to[24];
	unsigned ref, nparts, have; /* nparts 0: unused */
	char part[PARTS_MAX][SIMPDU_TEXT_MAX];
};

struct simphone {
	FILE *phone, *json;
	char number[24];
	struct held held[HELD_MAX];
	size_t oldest;
};

static FILE *append_to(const char *path, char *why, size_t size)
{
	FILE *f = path != NULL ? fopen(path, "ae") : NULL;

	if (path != NULL && f == NULL)
		snprintf(why, size, "%s: %s", path, strerror(errno));
	return f;
}

struct simphone *simphone_new(const char *phone, const char *json, const char *number, char *why, size_t size)
{
	struct simphone *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	snprintf(p->number, sizeof(p->number), "%s", number);
	p->phone = append_to(phone, why, size);
	p->json = append_to(json, why, size);
	if ((phone != NULL && p->phone == NULL) || (json != NULL && p->json == NULL)) {
		simphone_free(p);
		return NULL;
	}
	return p;
}

void simphone_free(struct simphone *p)
{
	if (p == NULL)
		return;
	if (p->phone != NULL)
		fclose(p->phone);
	if (p->json != NULL)
		fclose(p->json);
	free(p);
}

static void print_line(FILE *f, const char *to, const char *text)
{
	fprintf(f, "PHONE %s: ", to);
	for (; *text != '\0'; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text, f);
	fputc('\n', f);
	fflush(f);
}

static void show(struct simphone *p, const char *to, const char *text)
{
	print_line(stdout, to, text);
	if (p->phone != NULL)
		print_line(p->phone, to, text);
}

static void show_held(struct simphone *p, struct held *h)
{
	char all[PARTS_MAX * SIMPDU_TEXT_MAX] = "";
	size_t n = 0;

	for (unsigned i = 0; i < h->nparts; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s", h->part[i]);
	show(p, h->to, all);
	memset(h, 0, sizeof(*h));
}

static struct held *find_held(struct simphone *p, const struct simpdu *s)
{
	struct held *h;

	for (size_t i = 0; i < HELD_MAX; i++) {
		h = &p->held[i];
		if (h->nparts == s->nparts && h->ref == s->ref && strcmp(h->to, s->to) == 0)
			return h;
	}
	h = &p->held[p->oldest++ % HELD_MAX];
	if (h->nparts > 0)
		show_held(p, h);
	h->nparts = s->nparts;
	h->ref = s->ref;
	snprintf(h->to, sizeof(h->to), "%s", s->to);
	return h;
}

static void join(struct simphone *p, const struct simpdu *s)
{
	struct held *h = find_held(p, s);

	h->have += h->part[s->part - 1][0] == '\0';
	snprintf(h->part[s->part - 1], SIMPDU_TEXT_MAX, "%s", s->text);
	if (h->have == h->nparts)
		show_held(p, h);
}

static void write_json(struct simphone *p, const struct sim_message *m)
{
	const struct simpdu *s = m->sms;
	cJSON *v = cJSON_CreateObject();
	struct timespec now;
	struct buf line;

	clock_gettime(CLOCK_REALTIME, &now);
	cJSON_AddNumberToObject(v, "at", (double)now.tv_sec + (double)now.tv_nsec / 1e9);
	cJSON_AddStringToObject(v, "from", p->number);
	cJSON_AddStringToObject(v, "to", s->to);
	cJSON_AddStringToObject(v, "text", s->text);
	cJSON_AddStringToObject(v, "pdu", m->pdu);
	cJSON_AddStringToObject(v, "alphabet", s->alphabet);
	json_add_int(v, "ref", s->ref);
	json_add_int(v, "part", s->part);
	json_add_int(v, "parts", s->nparts);
	json_add_int(v, "mr", m->mr);
	cJSON_AddBoolToObject(v, "report", s->report);
	buf_init(&line, 8192);
	if (json_line(v, &line)) {
		fputs(buf_str(&line), p->json);
		fflush(p->json);
	}
	buf_fini(&line);
	cJSON_Delete(v);
}

void simphone_ring(struct simphone *p, const char *number, bool on)
{
	show(p, number, on ? "((rings))" : "((silent again))");
}

void simphone_take(struct simphone *p, const struct sim_message *m)
{
	if (p->json != NULL)
		write_json(p, m);
	if (m->sms->nparts > 1 && m->sms->nparts <= PARTS_MAX)
		join(p, m->sms);
	else
		show(p, m->sms->to, m->sms->text);
}
