/*
 * The pty that the simulated modem is plugged into: unplugging is real, it is closed, and another one takes
 * its place.
 */
#ifndef DRIVERS_SIM_SIMPTY_H
#define DRIVERS_SIM_SIMPTY_H

#include <stdbool.h>
#include <stdint.h>

struct simpty {
	const char *link; /* a symlink is kept there; NULL: none */
	int fd;		  /* the master; -1 while unplugged */
	char path[64];
	char last[64];	 /* where it was before it was unplugged */
	int placeholder; /* keeps that name taken, for who comes back under another; -1 */
	int lock;	 /* the pty as the program sees it that holds its lock; -1 */
	bool locked;
	int64_t back_at; /* when it is plugged in again; -1: it is in, INT64_MAX: never */
};

/* False: there is no pty to be had, as said. renamed: under another name than before. */
bool simpty_plug_in(struct simpty *p, bool renamed);
/* For so many ms; 0: for good. */
void simpty_unplug(struct simpty *p, int64_t ms);
/* Another program has the port open and locked, or lets it go. */
void simpty_lock(struct simpty *p, bool on);

#endif
