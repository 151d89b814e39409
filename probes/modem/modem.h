/*
 * What is known of a GSM modem, from the one who uses it (pagerd's status) or from itself, and what that is
 * worth. For check_modem.c.
 */
#ifndef PROBES_MODEM_MODEM_H
#define PROBES_MODEM_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/units.h"
#include "lib/contract/result.h"

struct modem_facts {
	bool up;	/* it answers and is unlocked */
	char why[300];	/* else */
	bool ok;	/* whoever uses it says that it can send */
	char said[300]; /* what that one says of it */
	bool registered;
	char registration[64], operator[64];
	bool has_signal, has_storage, has_balance, has_validity;
	int dbm, csq;
	int64_t used, total;
	double balance;
	int64_t valid_until_wall_ms, ussd_wall_ms; /* ussd: 0: never answered */
	char ussd_error[200];
	int64_t proven_wall_ms; /* the last page that a phone had, or else that the network took; 0: none is
				   known */
};

struct modem_limits {
	struct range warning, critical;			/* dBm */
	struct range storage_warning, storage_critical; /* percent */
	int64_t proof_warning_ms, proof_critical_ms;	/* 0: no limit */
	bool has_balance_low;
	double balance_low;
	int64_t validity_low_ms; /* 0: no limit */
};

/* Pure. */
void modem_judge(struct result *r, const struct modem_facts *f, const struct modem_limits *l,
		 int64_t now_wall_ms);

/* Of a line, out of the text of pagerd's status.json; stale_ms: how old that may be. False and why: nothing
 * is known. */
bool modem_from_status(struct modem_facts *f, const char *text, size_t len, const char *line,
		       int64_t stale_ms, int64_t now_wall_ms, char *why, size_t size);
/* Opens the device and asks it. False and why: it could not be measured (somebody else has it). */
bool modem_from_device(struct modem_facts *f, const char *device, int baud, int64_t deadline, char *why,
		       size_t size);

#endif
