/*
 * An analog modem with a telephone line and a far end, all in software, for tests: a pty takes Hayes
 * commands, the dial string becomes audio on Debian's spandsp, a data call is two V.22bis modems that hear
 * each other. It reads the command line itself: spandsp's own interpreter says OK to anything and swallows W,
 * @ and !.
 *
 * usage: softmodem --link PATH --log FILE [--audio DIR] [--script FILE] [--terminal SOCKET] [--speed N]
 * PATH becomes a link to the pty. FILE gets a line for each command (">"), result ("<") and move of the
 * receiver ("off-hook", "on-hook"). DIR/N.raw is what the N-th call sounded like (8000 Hz, 16 bit, mono). Line n of
 * the script answers the n-th ATD (ATDW; is not counted), the last line all further ones; words: answer busy no-dialtone no-answer
 * no-carrier delayed blacklisted voice error silent; before it noise (line noise and half an echo), ring, or slow (20 ms a byte).
 * "deaf": nothing is answered at all. SOCKET (a listening Unix socket) is the terminal that answers data
 * calls.
 * --speed: waits are shorter by that, the audio is not.
 */
#include "softline.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct {
	int pty, terminal;
	FILE *log, *audio;
	const char *link, *log_path, *audio_dir, *script, *socket;
	double speed;
	char text[512];
	size_t len;
	bool echo, verbose, quiet, off_hook, data, escaped, slow;
	int s[256];
	unsigned calls, dials;
	int64_t due; /* when the result of a dial is told; 0: none is awaited */
	char result[64];
	bool stays_up; /* off the hook after it */
	struct softline *line;
	int64_t next_block, lost_at, plus_at, data_at;
} m;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t in_ms(double ms)
{
	return now_ms() + (int64_t)(ms / m.speed) + 1;
}

static void put(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += m.slow ? 1 : n) {
		if (write(m.pty, bytes + i, m.slow ? 1 : n) < 0)
			perror("softmodem: pty");
		usleep(m.slow ? 20000 : 0);
	}
}

static void say(const char *text)
{
	static const char *const numeric[] = {"OK", "CONNECT",	   "RING", "NO CARRIER", "ERROR",
					      "",   "NO DIALTONE", "BUSY", "NO ANSWER"};
	char line[96];

	fprintf(m.log, "< %s\n", text);
	snprintf(line, sizeof(line), "\r\n%s\r\n", text);
	for (int i = 0; !m.verbose && i < 9; i++)
		if (strcmp(text, numeric[i]) == 0)
			snprintf(line, sizeof(line), "%d\r", i);
	if (!m.quiet)
		put(line, strlen(line));
}

/* --- the line ---------------------------------------------------------------------------------------- */

static void hook(bool up)
{
	char path[300];

	if (up == m.off_hook)
		return;
	m.off_hook = up;
	if (up) {
		fprintf(m.log, "off-hook %u\n", ++m.calls);
		snprintf(path, sizeof(path), "%s/%u.raw", m.audio_dir != NULL ? m.audio_dir : "", m.calls);
		m.audio = m.audio_dir != NULL ? fopen(path, "w") : NULL;
	} else {
		fprintf(m.log, "on-hook\n");
		if (m.audio != NULL)
			fclose(m.audio);
		m.audio = NULL;
		softline_end(m.line);
		if (m.terminal >= 0)
			close(m.terminal);
		m.terminal = -1;
		m.data = m.escaped = false;
		m.due = m.lost_at = 0;
	}
	softline_record(m.line, m.audio);
}

static void byte_came(bool here, char byte)
{
	if (here && m.data)
		put(&byte, 1);
	else if (!here && m.terminal >= 0 && write(m.terminal, &byte, 1) < 0 && m.lost_at == 0)
		m.lost_at = in_ms(100 * m.s[10]);
}

static bool call_terminal(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (m.socket == NULL)
		return false;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", m.socket);
	m.terminal = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(m.terminal, (struct sockaddr *)&a, sizeof(a)) != 0)
		return false;
	softline_connect(m.line);
	return true;
}

/* --- commands ---------------------------------------------------------------------------------------- */

/* The words of the script for the n-th dial. */
static void script(unsigned n, char *out, size_t size)
{
	char line[128];
	FILE *f = m.script != NULL ? fopen(m.script, "r") : NULL;

	snprintf(out, size, "answer");
	while (f != NULL && n-- > 0 && fgets(line, sizeof(line), f) != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
	if (f != NULL)
		fclose(f);
}

/* The sound of one dial string; returns how long it takes. *quiet: an "@" is in it. */
static int sound_of(const char *s, bool *quiet)
{
	int ms = 0;

	for (; *s != '\0'; s++) {
		if (strchr("0123456789*#ABCD", toupper((unsigned char)*s)) != NULL)
			ms += softline_digit(m.line, (char)toupper((unsigned char)*s), m.s[11]);
		else if (*s == ',')
			ms += softline_silence(m.line, 1000 * m.s[8]);
		else if (*s == '@')
			ms += softline_silence(m.line, 7000),
			    *quiet = true; /* it rings once, is answered, and five seconds pass */
		else if (*s == '!' || toupper((unsigned char)*s) == 'W')
			ms += softline_silence(m.line, 500);
	}
	return ms;
}

static void result_in(double ms, const char *text, bool stays_up)
{
	snprintf(m.result, sizeof(m.result), "%s", text);
	m.stays_up = stays_up;
	m.due = in_ms(ms);
}

static void dial(const char *s)
{
	static const struct {
		const char *word, *result;
		int ms;
	} bad[] = {{"busy", "BUSY", 3000},
		   {"no-dialtone", "NO DIALTONE", 5000},
		   {"no-answer", "NO ANSWER", -1},
		   {"no-carrier", "NO CARRIER", -1},
		   {"delayed", "DELAYED 00:01:30", 0},
		   {"blacklisted", "BLACKLISTED", 0},
		   {"voice", "VOICE", 4000},
		   {"error", "ERROR", 0},
		   {"silent", "", 0}};
	bool command = s[0] != '\0' && s[strlen(s) - 1] == ';', quiet = false;
	bool listens = strcasecmp(s, "W;") == 0; /* for dial tone only: uses up no line of the script */
	char words[128];
	int ms;

	script(m.dials + 1, words, sizeof(words));
	m.dials += !listens;
	if (listens && strcmp(words, "no-dialtone") != 0)
		words[0] = '\0';
	m.slow = strstr(words, "slow") != NULL;
	if (strstr(words, "noise") != NULL)
		put("\xff\x81\x00T0312\r\n\x7f", 11);
	if (strstr(words, "ring") != NULL)
		say("RING");
	ms = m.off_hook ? 0 : (hook(true), softline_silence(m.line, 500));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strstr(words, bad[i].word) == NULL)
			continue;
		/* the number is dialled, then nobody is there; without dial tone, or refused, nothing is */
		if (strcmp(bad[i].word, "silent") == 0 || bad[i].ms < 0 || bad[i].ms == 3000)
			ms += sound_of(s, &quiet);
		result_in(ms + (bad[i].ms < 0 ? 1000 * m.s[7] : bad[i].ms), bad[i].result, false);
		return;
	}
	ms += sound_of(s, &quiet);
	if (command)
		result_in(ms, "OK", true);
	else if (!call_terminal())
		result_in(ms + 1000 * m.s[7], quiet ? "NO ANSWER" : "NO CARRIER", false);
	else
		m.next_block = in_ms(ms);
}

static int number(const char **p, int dflt)
{
	return isdigit((unsigned char)**p) ? (int)strtol(*p, (char **)p, 10) : dflt;
}

/* One command line behind AT; false: ERROR. *told: its result comes later. */
static bool commands(const char *p, bool *told)
{
	while (*p != '\0') {
		char c = (char)toupper((unsigned char)*p++);
		int v;

		switch (c) {
		case 'D':
			*told = true;
			dial(p);
			return true;
		case 'E':
			m.echo = number(&p, 0) == 1;
			break;
		case 'V':
			m.verbose = number(&p, 0) == 1;
			break;
		case 'Q':
			m.quiet = number(&p, 0) == 1;
			break;
		case 'H':
			number(&p, 0);
			hook(false);
			break;
		case 'Z':
		case 'X':
		case 'L':
		case 'M':
			number(&p, 0);
			break;
		case '&':
			p += *p != '\0';
			number(&p, 0);
			break;
		case 'S':
			v = number(&p, -1);
			if (v < 0 || v > 255 || *p != '=')
				return false;
			p++;
			m.s[v] = number(&p, 0);
			break;
		case ' ':
			break;
		default:
			return false;
		}
	}
	return true;
}

static void command_line(void)
{
	char words[128];
	bool told = false;

	script(m.dials + 1, words, sizeof(words));
	m.text[m.len] = '\0';
	m.len = 0;
	if (m.text[0] == '\0')
		return;
	fprintf(m.log, "> %s\n", m.text);
	if (strstr(words, "deaf") != NULL || strncasecmp(m.text, "AT", 2) != 0)
		return;
	if (!commands(m.text + 2, &told))
		say("ERROR");
	else if (!told)
		say("OK");
}

/* In a call: bytes for the other side, but for the escape with its silence around. */
static void data_bytes(const char *b, size_t n)
{
	bool silent_before = now_ms() - m.data_at >= (int64_t)(1000 / m.speed);

	if (n == 3 && memcmp(b, "+++", 3) == 0 && silent_before)
		m.plus_at = in_ms(1000);
	else
		m.plus_at = 0;
	m.data_at = now_ms();
	softline_send(m.line, true, b, n);
}

static void command_bytes(const char *b, size_t n)
{
	/* any byte ends a dial under way */
	if (m.due > 0 || (softline_up(m.line) && !m.data)) {
		say("NO CARRIER");
		hook(false);
	}
	for (size_t i = 0; i < n; i++) {
		if (m.echo)
			put(b + i, 1);
		if (b[i] == '\r')
			command_line();
		else if (b[i] != '\n' && m.len < sizeof(m.text) - 1)
			m.text[m.len++] = b[i];
	}
}

/* --- time and descriptors ----------------------------------------------------------------------------- */

static void timers(int64_t now)
{
	if (m.due > 0 && now >= m.due) {
		m.due = 0;
		if (m.result[0] != '\0')
			say(m.result);
		else
			m.due = INT64_MAX;
		if (!m.stays_up && m.result[0] != '\0')
			hook(false);
	}
	while (softline_up(m.line) && now >= m.next_block) {
		softline_block(m.line);
		m.next_block += 1 + (int64_t)((SOFTLINE_BLOCK_MS - 1) / m.speed);
	}
	if (softline_up(m.line) && softline_trained(m.line) && !m.data && !m.escaped) {
		say("CONNECT 2400");
		m.data = true;
		m.data_at = now;
	}
	if (m.data && m.plus_at > 0 && now >= m.plus_at) {
		m.plus_at = 0;
		m.data = false;
		m.escaped = true;
		say("OK");
	}
	if (m.lost_at > 0 && now >= m.lost_at) {
		say("NO CARRIER");
		hook(false);
	}
}

static void serve(void)
{
	struct pollfd p[2] = {{.fd = m.pty, .events = POLLIN},
			      {.fd = m.lost_at > 0 ? -1 : m.terminal, .events = POLLIN}};
	char b[512];
	ssize_t n;

	poll(p, 2, softline_up(m.line) || m.due > 0 ? 2 : 20);
	if ((p[0].revents & POLLIN) != 0 && (n = read(m.pty, b, sizeof(b))) > 0) {
		if (m.data)
			data_bytes(b, (size_t)n);
		else
			command_bytes(b, (size_t)n);
	}
	if ((p[0].revents & POLLHUP) != 0 && (p[0].revents & POLLIN) == 0)
		usleep(10000); /* nobody has the pty open */
	if (p[1].revents != 0) {
		n = read(m.terminal, b, 64);
		if (n > 0)
			softline_send(m.line, false, b, (size_t)n);
		else
			m.lost_at = in_ms(100 * m.s[10]);
	}
	timers(now_ms());
	fflush(m.log);
}

static bool plug_in(void)
{
	struct termios t;
	char path[64], tmp[300];
	int slave;

	m.pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (m.pty < 0 || grantpt(m.pty) != 0 || unlockpt(m.pty) != 0 ||
	    ptsname_r(m.pty, path, sizeof(path)) != 0)
		return false;
	slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &t) != 0)
		return false;
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	close(slave);
	snprintf(tmp, sizeof(tmp), "%s.new", m.link);
	unlink(tmp);
	return symlink(path, tmp) == 0 && rename(tmp, m.link) == 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, **where;
	} o[] = {{"--link", &m.link},
		 {"--log", &m.log_path},
		 {"--audio", &m.audio_dir},
		 {"--script", &m.script},
		 {"--terminal", &m.socket}};

	m.line = softline_new(byte_came);
	m.speed = 1;
	m.terminal = -1;
	for (int i = 1; i + 1 < argc; i += 2) {
		for (size_t k = 0; k < sizeof(o) / sizeof(o[0]); k++)
			if (strcmp(argv[i], o[k].name) == 0)
				*o[k].where = argv[i + 1];
		if (strcmp(argv[i], "--speed") == 0)
			m.speed = atof(argv[i + 1]);
	}
	m.echo = m.verbose = true;
	m.s[7] = 50, m.s[8] = 2, m.s[10] = 14, m.s[11] = 95;
	if (m.link == NULL || m.log_path == NULL || (m.log = fopen(m.log_path, "a")) == NULL || !plug_in()) {
		perror("softmodem");
		return 1;
	}
	for (;;)
		serve();
}
