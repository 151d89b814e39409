/*
 * Time. Intervals and deadlines are CLOCK_BOOTTIME milliseconds (they count
 * suspend and never jump); people read wall time. What is persisted carries
 * both and the boot id: within one boot the boottime difference counts, after
 * another boot the wall difference, never negative.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stamp {
	int64_t wall_ms; /* since 1970-01-01 UTC */
	int64_t boot_ms; /* CLOCK_BOOTTIME */
	char boot_id[40]; /* /proc/sys/kernel/random/boot_id, or "" */
};

int64_t clock_boot_ms(void);
int64_t clock_boot_us(void);
int64_t clock_wall_ms(void);
/* The boot id of this machine, read once; "" when unreadable. */
const char *clock_boot_id(void);
struct stamp clock_stamp(void);
/* Milliseconds from then to now; never negative. */
int64_t clock_age_ms(const struct stamp *then, const struct stamp *now);
/* "2026-11-21 03:12:45" in local time into out (at least 20 bytes); returns out. */
char *clock_text(int64_t wall_ms, char *out, size_t size);
/* "2026-11-21T03:12:45.123Z" into out (at least 25 bytes); returns out. */
char *clock_iso(int64_t wall_ms, char *out, size_t size);
/* "45 s", "3 min", "2 h 5 min", "4 d 3 h": for people. Returns out. */
char *clock_span(int64_t ms, char *out, size_t size);

#endif
