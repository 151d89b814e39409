/*
 * A line of bytes to a device: one interface, two back ends. Real serial ports go through libserialport; ptys
 * and other character devices it refuses (simulators, ser2net, socat) through open and termios. The
 * descriptor is never blocked in: waiting is poll() with CLOCK_BOOTTIME deadlines, and a port that went away
 * is told from one that is silent. The device is locked (flock, TIOCEXCL), closed on exec, and keeps DTR up
 * when closed (HUPCL cleared) unless asked otherwise.
 */
#ifndef DRIVERS_SERIAL_SERIAL_H
#define DRIVERS_SERIAL_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct serial;

struct serial_settings {
	int baud;    /* 8N1; parity is computed by those who need it, a pty refuses CS7 */
	bool rtscts; /* hardware flow control */
	bool xonxoff;
	bool drop_dtr; /* when closed, by whatever cause: a modem in a call hangs up though its program was killed */
};

/* device: a path (symlinks as under /dev/serial/by-id are followed anew at each open) or
 * usb:VID:PID[:SERIAL][@INTERFACE] (see usbtty.h). NULL and a reason in why; errno is EWOULDBLOCK when another
 * program has it locked. */
struct serial *serial_open(const char *device, const struct serial_settings *set, char *why, size_t size);
void serial_close(struct serial *s); /* NULL is allowed */
/* For poll(). */
int serial_fd(const struct serial *s);
/* What it was opened as, and by which back end: "/dev/ttyUSB0", "libserialport" or "termios". */
const char *serial_path(const struct serial *s);
const char *serial_backend(const struct serial *s);

/* What is there now: bytes, 0 when nothing, -1 when the device is gone (unplugged, other side closed). Never
 * blocks. */
ssize_t serial_read(struct serial *s, void *buf, size_t size);
/* Waits until there is something to read: 1 yes, 0 the deadline came, -1 gone. */
int serial_wait(struct serial *s, int64_t deadline);
/* Writes all of it by the deadline. *done (may be NULL): bytes the device took, also when that was not all.
 * False and a reason. */
bool serial_write(struct serial *s, const void *data, size_t len, int64_t deadline, size_t *done, char *why,
		  size_t size);
/* Throws away what was received and not read. */
void serial_discard_input(struct serial *s);
/* Sets the DTR line. False when the device has none (a pty). */
bool serial_dtr(struct serial *s, bool on);
/* True once reading or writing found the device gone. */
bool serial_gone(const struct serial *s);

#endif
