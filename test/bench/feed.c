/*
 * Gives a prober SMTP jobs as monitord would, and says what they cost it.
 *
 *   feed at-once=N|rate=N PROBER CPU CHECKS PORT [OPTION]     CPU: pins the prober there; -1: no matter
 *
 * at-once: so many in flight all the time; rate: so many new ones a second, whatever happens to the old. OPTION, such
 * as "starttls", is set to true. Prints: CPU microseconds a check, checks that were OK, checks a second, ms from
 * the planned start to the answer (median, 99 %), peak resident set in KiB.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM = 100, LINE = 65536 };

static int to, from; /* the prober's input and output */
static pid_t pid;
static const char *port, *option;
static long sent, done, good;
static double *planned, *took; /* ms */

static double now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void start_prober(const char *prober, int cpu)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)(cpu > 0 ? cpu : 0), &set);
		if (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set) != 0)
			_exit(126);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(prober, "prober", "--place", "net", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to = in[1];
	from = out[0];
}

static void send_job(double at)
{
	char line[512], more[64] = "";
	int n;

	if (option)
		snprintf(more, sizeof(more), ",\"%s\":\"true\"", option);
	n = snprintf(line, sizeof(line),
		     "{\"v\":1,\"run\":\"%ld\",\"check\":\"relay %ld\",\"probe\":\"smtp\",\"options\":{\"host\":\"127.0.0.1\",\"port\":"
		     "\"%s\"%s},\"timeout_ms\":30000}\n",
		     sent, sent % 1000, port, more);
	planned[sent++] = at;
	if (write(to, line, (size_t)n) != n)
		exit(1);
}

static void take(const char *line)
{
	const char *id = strstr(line, "\"done\":\"");
	long i = id ? atol(id + 8) : -1;

	if (i < 0 || i >= sent)
		return; /* the hello */
	took[i] = now_ms(CLOCK_MONOTONIC) - planned[i];
	done++;
	if (strstr(line, "\"state\":\"OK\""))
		good++;
	else
		fputs(line, stderr);
}

/* What the prober says within so many ms. */
static void listen_for(double ms)
{
	static char text[LINE + 1];
	static size_t n;
	struct pollfd p = {.fd = from, .events = POLLIN};
	char *line = text, *end;
	ssize_t got;

	if (poll(&p, 1, ms > 0 ? (int)ms : 0) <= 0)
		return;
	got = read(from, text + n, LINE - n);
	if (got <= 0) {
		fputs("the prober ended\n", stderr);
		exit(1);
	}
	n += (size_t)got;
	text[n] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		take(line);
	}
	n -= (size_t)(line - text);
	memmove(text, line, n);
}

static void run(long checks, long at_once, double rate)
{
	double begin = now_ms(CLOCK_MONOTONIC);
	long first = sent, last = sent + checks;

	while (done < last) {
		double now = now_ms(CLOCK_MONOTONIC), due = begin + (double)(sent - first) * 1e3 / rate;

		while (sent < last && (at_once ? sent - done < at_once : due <= now)) {
			send_job(at_once ? now : due);
			due = begin + (double)(sent - first) * 1e3 / rate;
		}
		listen_for(at_once || sent == last ? 10000 : due - now + 0.5);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static long peak_kib(void)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

int main(int argc, char **argv)
{
	long at_once = 0, checks = argc > 4 ? atol(argv[4]) : 0, was_good;
	double rate = 1, cpu, wall;
	clockid_t clock;

	if (checks < 1 || argc < 6 ||
	    (sscanf(argv[1], "at-once=%ld", &at_once) != 1 && sscanf(argv[1], "rate=%lf", &rate) != 1))
		return 2;
	port = argv[5];
	option = argv[6];
	planned = calloc((size_t)(checks + WARM), sizeof(*planned));
	took = calloc((size_t)(checks + WARM), sizeof(*took));
	if (!planned || !took)
		return 1;
	start_prober(argv[2], atoi(argv[3]));
	run(WARM, at_once ? at_once : 4, rate); /* what is set up only once is not counted */
	clock_getcpuclockid(pid, &clock);
	cpu = now_ms(clock);
	wall = now_ms(CLOCK_MONOTONIC);
	was_good = good;
	run(checks, at_once, rate);
	wall = now_ms(CLOCK_MONOTONIC) - wall;
	cpu = now_ms(clock) - cpu;
	qsort(took + WARM, (size_t)checks, sizeof(*took), compare);
	printf("%.3f %ld %.1f %.3f %.3f %ld\n", cpu * 1e3 / (double)checks, good - was_good, (double)checks * 1e3 / wall,
	       took[WARM + checks / 2], took[WARM + checks * 99 / 100], peak_kib());
	close(to);
	waitpid(pid, NULL, 0);
	return 0;
}
