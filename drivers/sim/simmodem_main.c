/*
 * The simulated modem as a program: a pty that behaves like a GSM modem, a phone on standard output, a
 * control socket for faults. `device: simulated` of the SMS line starts it with --parent; tests and `make
 * run` start it by hand. Unplugging is real: the pty is closed and later another one takes its place behind
 * --link.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "simcontrol.h"
#include "simmodem.h"
#include "simphone.h"
#include "simpty.h"

enum { OUT_MAX = 65536, NO_READER_MS = 10 };

struct program {
	struct sim *sim;
	struct simphone *phone;
	const char *control;
	struct simpty pty;
	bool no_reader; /* nobody has the pty open */
	struct buf out;
	struct simcontrol clients;
	int ready_fd;
	bool parent, quiet;
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

/* --- the pty ----------------------------------------------------------------------------------------- */

static void unplug(void *arg, int64_t ms)
{
	struct program *p = arg;

	simpty_unplug(&p->pty, ms);
	buf_reset(&p->out);
}

static void hold_lock(void *arg, bool on)
{
	struct program *p = arg;

	simpty_lock(&p->pty, on);
}

static bool plug_in(struct program *p)
{
	return simpty_plug_in(&p->pty, sim_renamed(p->sim));
}

static void rings(void *arg, const char *to, bool on)
{
	struct program *p = arg;

	simphone_ring(p->phone, to, on);
}

static void shown(void *arg, const struct sim_message *m)
{
	struct program *p = arg;

	simphone_take(p->phone, m);
}

static void note(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "simmodem: %s\n", text);
}

static void read_pty(struct program *p)
{
	char b[1024];
	ssize_t n = read(p->pty.fd, b, sizeof(b));

	if (n > 0)
		sim_input(p->sim, b, (size_t)n, clock_boot_ms());
}

/* What the modem has to say goes out, or nowhere when nobody listens, as on a real wire. */
static void write_pty(struct program *p)
{
	ssize_t n;

	if (p->out.len == 0)
		return;
	if (p->no_reader || p->pty.fd < 0) {
		buf_reset(&p->out);
		return;
	}
	n = write(p->pty.fd, p->out.data, p->out.len);
	if (n > 0)
		buf_drop(&p->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_reset(&p->out);
}

static void answer(void *arg, const char *line, struct buf *out)
{
	struct program *p = arg;

	sim_control(p->sim, line, clock_boot_ms(), out);
}

/* --- the loop ---------------------------------------------------------------------------------------- */

static int wait_ms(const struct program *p, int64_t next, int64_t now)
{
	if (p->pty.back_at >= 0 && p->pty.back_at != INT64_MAX && (next < 0 || p->pty.back_at - now < next))
		next = p->pty.back_at > now ? p->pty.back_at - now : 0;
	/* poll() reports the hang-up of a pty without a reader at once, for ever: look again a little later
	 */
	if (p->no_reader && (next < 0 || next > NO_READER_MS))
		next = NO_READER_MS;
	return next > 60000 ? 60000 : (int)next;
}

static void one_turn(struct program *p, const sigset_t *unblocked)
{
	struct pollfd f[3 + SIMCONTROL_MAX];
	int64_t now = clock_boot_ms(), next;
	struct timespec ts;
	int ms;

	if (p->pty.back_at >= 0 && now >= p->pty.back_at && !plug_in(p))
		stopping = 1;
	next = sim_output(p->sim, now, &p->out);
	write_pty(p);
	ms = wait_ms(p, next, now);
	f[0] = (struct pollfd){.fd = p->no_reader ? -1 : p->pty.fd,
			       .events = (short)(POLLIN | (p->out.len > 0 ? POLLOUT : 0))};
	f[1] = (struct pollfd){.fd = p->clients.listener, .events = POLLIN};
	f[2] = (struct pollfd){.fd = p->parent ? STDIN_FILENO : -1, .events = POLLIN};
	for (int i = 0; i < SIMCONTROL_MAX; i++)
		f[3 + i] = (struct pollfd){.fd = p->clients.v[i].fd, .events = POLLIN};
	ts = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	if (ppoll(f, 3 + SIMCONTROL_MAX, ms < 0 ? NULL : &ts, unblocked) < 0)
		return;
	if (p->no_reader && p->pty.fd >= 0) {
		struct pollfd again = {.fd = p->pty.fd, .events = POLLIN};

		f[0].revents = poll(&again, 1, 0) > 0 ? again.revents : 0;
	}
	p->no_reader = (f[0].revents & POLLHUP) != 0;
	if ((f[0].revents & POLLIN) != 0)
		read_pty(p);
	if (f[1].revents != 0)
		simcontrol_accept(&p->clients);
	if (f[2].revents != 0) {
		char b[64];

		stopping |= read(STDIN_FILENO, b, sizeof(b)) <= 0;
	}
	for (int i = 0; i < SIMCONTROL_MAX; i++)
		if (f[3 + i].revents != 0 && p->clients.v[i].fd >= 0)
			simcontrol_read(&p->clients.v[i], answer, p);
}

static int run(struct program *p)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block, unblocked;

	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &unblocked);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!plug_in(p))
		return 1;
	if (p->ready_fd >= 0) {
		dprintf(p->ready_fd, "%s\n", p->pty.path);
		close(p->ready_fd);
	}
	if (!p->parent && !p->quiet) {
		printf("simulated modem at %s\n", p->pty.link != NULL ? p->pty.link : p->pty.path);
		fflush(stdout);
	}
	while (!stopping)
		one_turn(p, &unblocked);
	if (p->pty.link != NULL)
		unlink(p->pty.link);
	if (p->control != NULL)
		unlink(p->control);
	return 0;
}

/* --- the command line -------------------------------------------------------------------------------- */

static const char usage[] =
	"usage: simmodem [options]\n"
	"A GSM modem on a pty and the phone that it reaches, for trying things out and for tests.\n\n"
	"  --link PATH      keep a symlink to the pty there\n"
	"  --phone FILE     append what the phone shows, as on standard output\n"
	"  --json FILE      append every message as a JSON line: at from to text pdu ...\n"
	"  --control PATH   Unix socket for control lines (below)\n"
	"  --fault SPEC     as the control line \"fault\"; may repeat\n"
	"  --set NAME=VALUE as the control line \"set\"; may repeat\n"
	"  --do LINE        any control line, before the modem is there; may repeat\n"
	"  --pin PIN        the SIM asks for it\n"
	"  --tries N        tries left for the PIN (3)\n"
	"  --hide-tries     do not tell how many\n"
	"  --no-smsc        no service centre on the SIM\n"
	"  --slots N        places for received messages (20)\n"
	"  --number NUMBER  the SIM's own number\n"
	"  --quiet          do not say where the pty is\n"
	"  --parent         end when standard input ends; no greeting\n"
	"  --ready-fd N     write the pty's path to that descriptor when it is there\n"
	"  -h, -V\n\n"
	"Control lines:\n";

struct settings {
	struct sim_options o;
	const char *phone, *json, *number;
	/* control lines before the start, in this order */
	char *first[16];
	int nfirst;
};

enum {
	O_LINK = 256,
	O_PHONE,
	O_JSON,
	O_CONTROL,
	O_FAULT,
	O_SET,
	O_DO,
	O_PIN,
	O_TRIES,
	O_HIDE,
	O_NO_SMSC,
	O_SLOTS,
	O_NUMBER,
	O_QUIET,
	O_PARENT,
	O_READY
};

static const struct option options[] = {
	{"link", 1, 0, O_LINK}, {"phone", 1, 0, O_PHONE}, {"json", 1, 0, O_JSON},
	{"control", 1, 0, O_CONTROL},
	{"fault", 1, 0, O_FAULT}, {"set", 1, 0, O_SET}, {"do", 1, 0, O_DO}, {"pin", 1, 0, O_PIN}, {"tries", 1, 0, O_TRIES},
	{"hide-tries", 0, 0, O_HIDE},
	{"no-smsc", 0, 0, O_NO_SMSC}, {"slots", 1, 0, O_SLOTS}, {"number", 1, 0, O_NUMBER},
	{"quiet", 0, 0, O_QUIET},
	{"parent", 0, 0, O_PARENT}, {"ready-fd", 1, 0, O_READY}, {"help", 0, 0, 'h'}, {"version", 0, 0, 'V'},
	{0},
};

/* A control line for the start: "WORD VALUE". */
static void first_line(struct settings *s, const char *word, const char *value)
{
	char *line = NULL, *equals;

	if (s->nfirst == sizeof(s->first) / sizeof(s->first[0]) ||
	    asprintf(&line, "%s%s%s", word, word[0] != '\0' ? " " : "", value) < 0)
		return;
	if (strcmp(word, "set") == 0 && (equals = strchr(line, '=')) != NULL)
		*equals = ' ';
	s->first[s->nfirst++] = line;
}

/* -1: go on; else the exit status. */
static int take_option(int c, struct program *p, struct settings *s)
{
	switch (c) {
	case O_LINK: p->pty.link = optarg; break;
	case O_PHONE: s->phone = optarg; break;
	case O_JSON: s->json = optarg; break;
	case O_CONTROL: p->control = optarg; break;
	case O_FAULT: first_line(s, "fault", optarg); break;
	case O_SET: first_line(s, "set", optarg); break;
	case O_DO: first_line(s, "", optarg); break;
	case O_PIN: s->o.pin = optarg; break;
	case O_TRIES: s->o.tries = atoi(optarg); break;
	case O_HIDE: s->o.hide_tries = true; break;
	case O_NO_SMSC: s->o.smsc = ""; break;
	case O_SLOTS: s->o.slots = atoi(optarg); break;
	case O_NUMBER: s->number = optarg; break;
	case O_QUIET: p->quiet = true; break;
	case O_PARENT: p->parent = true; break;
	case O_READY: p->ready_fd = atoi(optarg); break;
	case 'h': printf("%s%s", usage, sim_help); return 0;
	case 'V': printf("simmodem (monitord) %s\n", MONITORD_VERSION); return 0;
	default: return 2;
	}
	return -1;
}

static bool say_first(struct program *p, const struct settings *s)
{
	for (int i = 0; i < s->nfirst; i++) {
		struct buf answer;
		bool ok;

		buf_init(&answer, 4096);
		ok = sim_control(p->sim, s->first[i], clock_boot_ms(), &answer);
		if (!ok)
			fprintf(stderr, "simmodem: %s: %s", s->first[i], buf_str(&answer));
		buf_fini(&answer);
		if (!ok)
			return false;
	}
	return true;
}

static bool set_up(struct program *p, const struct settings *s)
{
	static const struct sim_calls calls = {.shown = shown, .vanish = unplug, .rings = rings, .lock = hold_lock, .note = note};
	char why[256] = "out of memory";

	p->phone = simphone_new(s->phone, s->json, s->number, why, sizeof(why));
	p->sim = sim_new(&s->o, &calls, p);
	if (p->phone == NULL || p->sim == NULL) {
		fprintf(stderr, "simmodem: %s\n", why);
		return false;
	}
	if (!say_first(p, s))
		return false;
	if (p->control != NULL && (p->clients.listener = simcontrol_listen(p->control)) < 0) {
		fprintf(stderr, "simmodem: %s: %s\n", p->control, strerror(errno));
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct program p = {.pty = {.fd = -1, .back_at = -1, .placeholder = -1, .lock = -1}, .ready_fd = -1};
	struct settings s = {.o = {.tries = 3, .smsc = "+819000000001", .slots = 20},
			     .number = "+819000000000"};
	int c, rc = 1;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		if ((c = take_option(c, &p, &s)) >= 0)
			return c;
	simcontrol_init(&p.clients);
	if (p.parent)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	buf_init(&p.out, OUT_MAX);
	if (set_up(&p, &s))
		rc = run(&p);
	sim_free(p.sim);
	simphone_free(p.phone);
	buf_fini(&p.out);
	for (int i = 0; i < s.nfirst; i++)
		free(s.first[i]);
	return rc;
}
