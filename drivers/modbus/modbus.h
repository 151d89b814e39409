/*
 * Modbus to one unit, TCP or RTU: read and write coils and registers, each within one deadline. Over
 * libmodbus, whose own time-outs count each answer anew, never limit a connect, and do not lock a serial
 * port: connecting, locking and the deadline are ours, framing and checking are its. Called by notify_modbus
 * and check_modbus; safe in threads (no globals).
 *
 * A port is opened for each use and closed after it: several programs (a siren, probes) share one RS-485 bus
 * that way, each waiting for its turn by the port's lock, and a board that takes only one TCP connection is
 * not occupied.
 */
#ifndef DRIVERS_MODBUS_MODBUS_H
#define DRIVERS_MODBUS_MODBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mb;

enum { MB_PORT = 502, MB_UNIT_MAX = 255, MB_READ_MAX = 125, MB_TEXT_MAX = 300 };

/* The four tables of a unit. Coils and holding registers can be written. */
enum mb_table { MB_COIL, MB_DISCRETE, MB_HOLDING, MB_INPUT };

struct mb_target {
	const char *host; /* a literal IPv4 or IPv6 address; NULL: serial */
	int port;
	const char *device; /* a path, or usb:VID:PID... as drivers/serial has it */
	int baud;
	char parity;   /* 'N', 'E', 'O' */
	int stop_bits; /* 1 or 2 */
};

/* Where it broke. */
enum mb_fault {
	MB_OK,
	MB_NO_CONNECTION, /* refused, no route, no such device, in use by another program */
	MB_TIMEOUT,	  /* nothing, or not all, by the deadline */
	MB_EXCEPTION,	  /* the unit answered that it will not: exception has the code */
	MB_GARBAGE,	  /* an answer that is none to this request */
	MB_GONE,	  /* the connection was closed, the device unplugged */
	MB_LOCAL	  /* no memory, no descriptors */
};

struct mb_error {
	enum mb_fault fault;
	int exception;		/* 1 to 11, see mb_exception_text */
	char text[MB_TEXT_MAX]; /* for people, names the target */
};

/* "illegal data address (2)" */
const char *mb_exception_text(int code);

/* Connects, or opens and locks the port; deadline: CLOCK_BOOTTIME ms. NULL: *e says why. */
struct mb *mb_open(const struct mb_target *t, int64_t deadline, struct mb_error *e);
void mb_close(struct mb *m); /* NULL is allowed */
/* n values (1 to MB_READ_MAX) from address on; coils and inputs are 0 or 1. */
bool mb_read(struct mb *m, int unit, enum mb_table t, int address, int n, uint16_t *out, int64_t deadline,
	     struct mb_error *e);
/* One coil (0 or not) or holding register. */
bool mb_write(struct mb *m, int unit, enum mb_table t, int address, uint16_t value, int64_t deadline,
	      struct mb_error *e);

#endif
