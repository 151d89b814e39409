/* Clocks and stamps; see clock.h. */
#include "clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t read_us(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t clock_boot_ms(void)
{
	return clock_boot_us() / 1000;
}

int64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

static char boot_id[40];

static void boot_id_read(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, boot_id, sizeof boot_id - 1);
	close(fd);
	if (n <= 0)
		n = 0;
	boot_id[n] = '\0';
	boot_id[strcspn(boot_id, "\n")] = '\0';
}

const char *clock_boot_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, boot_id_read);
	return boot_id;
}

struct stamp clock_stamp(void)
{
	struct stamp s = { .wall_ms = clock_wall_ms(), .boot_ms = clock_boot_ms() };
	snprintf(s.boot_id, sizeof s.boot_id, "%s", clock_boot_id());
	return s;
}

int64_t clock_age_ms(const struct stamp *then, const struct stamp *now)
{
	bool same_boot = then->boot_id[0] && strcmp(then->boot_id, now->boot_id) == 0;
	int64_t age = same_boot ? now->boot_ms - then->boot_ms : now->wall_ms - then->wall_ms;
	return age > 0 ? age : 0;
}

char *clock_text(int64_t wall_ms, char *out, size_t size)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	if (!localtime_r(&t, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, size, "?");
	return out;
}

char *clock_iso(int64_t wall_ms, char *out, size_t size)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	char day[24];
	if (!gmtime_r(&t, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(out, size, "?");
	else
		snprintf(out, size, "%s.%03dZ", day, (int)(wall_ms % 1000 < 0 ? 0 : wall_ms % 1000));
	return out;
}

char *clock_span(int64_t ms, char *out, size_t size)
{
	if (ms < 0)
		ms = 0;
	long long s = ms / 1000, min = s / 60, h = min / 60, d = h / 24;
	if (s < 1)
		snprintf(out, size, "%d ms", (int)ms);
	else if (s < 60)
		snprintf(out, size, "%lld s", s);
	else if (min < 60)
		snprintf(out, size, "%lld min", min);
	else if (h < 24 && min % 60)
		snprintf(out, size, "%lld h %lld min", h, min % 60);
	else if (h < 24)
		snprintf(out, size, "%lld h", h);
	else if (h % 24)
		snprintf(out, size, "%lld d %lld h", d, h % 24);
	else
		snprintf(out, size, "%lld d", d);
	return out;
}
