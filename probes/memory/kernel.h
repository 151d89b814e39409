/*
 * Texts of /proc about memory and its pressure: /proc/meminfo, /proc/vmstat, /proc/pressure/...,
 * /proc/sys/fs/file-nr. Pure. Called by the probes memory and pressure.
 */
#ifndef PROBES_MEMORY_KERNEL_H
#define PROBES_MEMORY_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* A line "NAME: 123 kB" or "NAME 123" of a text; false when there is none. kB become bytes. */
bool kernel_value(const char *text, const char *name, double *out);

struct psi {
	bool some_known, full_known;
	double some, full; /* avg60: percent of the last minute */
};
/* "some avg10=0.00 avg60=1.82 ...\nfull ..."; false when it holds neither. */
bool psi_parse(const char *text, struct psi *out);
/* "593\t0\t9223372036854775807": in use and at most. */
bool filenr_parse(const char *text, double *used, double *max);

#endif
