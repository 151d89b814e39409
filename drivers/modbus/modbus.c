/* Modbus with deadlines; see modbus.h. The only file that includes modbus.h of libmodbus. */
#include "drivers/modbus/modbus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "drivers/serial/serial.h"
#include "lib/clock.h"

enum { LOCK_RETRY_MS = 20, RETRY_MS_MAX = 60000 };

struct mb {
	modbus_t *ctx;
	int fd;
	struct serial *serial; /* NULL: TCP */
	char name[120];	       /* "192.0.2.7 port 502", "/dev/ttyUSB0" */
};

/* --- words ----------------------------------------------------------------------------------------- */

const char *mb_exception_text(int code)
{
	static const char *const names[] = {"no exception",
					    "illegal function (1)",
					    "illegal data address (2)",
					    "illegal data value (3)",
					    "device failure (4)",
					    "acknowledged, not done yet (5)",
					    "device busy (6)",
					    "refused (7)",
					    "memory parity error (8)",
					    "exception 9",
					    "gateway path unavailable (10)",
					    "gateway: the unit does not answer (11)"};

	return code > 0 && code < (int)(sizeof(names) / sizeof(names[0])) ? names[code] : "unknown exception";
}

static bool fail(struct mb_error *e, enum mb_fault fault, const char *name, const char *text)
{
	e->fault = fault;
	snprintf(e->text, sizeof(e->text), "%s: %s", name, text);
	return false;
}

/* libmodbus tells everything by errno. */
static bool failed(struct mb_error *e, const struct mb *m, int err)
{
	e->exception = 0;
	if (err > MODBUS_ENOBASE && err < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) {
		e->exception = err - MODBUS_ENOBASE;
		return fail(e, MB_EXCEPTION, m->name, mb_exception_text(e->exception));
	}
	switch (err) {
	case ETIMEDOUT:
		return fail(e, MB_TIMEOUT, m->name, "no answer in time");
	case EMBBADCRC:
		return fail(e, MB_GARBAGE, m->name, "an answer with a wrong checksum");
	case EMBBADSLAVE:
		return fail(e, MB_GARBAGE, m->name, "another unit answered");
	case EMBBADDATA:
	case EMBBADEXC:
	case EMBUNKEXC:
	case EMBMDATA:
		return fail(e, MB_GARBAGE, m->name, "an answer that does not fit the request");
	case ECONNRESET:
	case EPIPE:
	case EIO:
	case ENODEV:
	case ENXIO:
	case EBADF:
		return fail(e, MB_GONE, m->name,
			    m->serial ? "the device went away" : "the connection was closed");
	default:
		return fail(e, MB_GONE, m->name, strerror(err));
	}
}

/* --- connecting ------------------------------------------------------------------------------------ */

static socklen_t address_of(const struct mb_target *t, struct sockaddr_storage *ss)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, t->host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)t->port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, t->host, &six->sin6_addr) != 1)
		return 0;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)t->port);
	return sizeof(*six);
}

/* 0, or an errno; ETIMEDOUT when the deadline came first. */
static int await_connect(int fd, int64_t deadline)
{
	int err = 0;
	socklen_t len = sizeof(err);

	for (;;) {
		int64_t left = deadline - clock_boot_ms();
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		int n = poll(&p, 1, left <= 0 ? 0 : left > RETRY_MS_MAX ? RETRY_MS_MAX : (int)left);

		if (n > 0)
			return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 ? err : errno;
		if (n < 0 && errno != EINTR)
			return errno;
		if (n == 0 && left <= 0)
			return ETIMEDOUT;
	}
}

static bool connect_tcp(struct mb *m, const struct mb_target *t, int64_t deadline, struct mb_error *e)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(t, &ss);
	int err = 0, one = 1;

	if (len == 0)
		return fail(e, MB_LOCAL, m->name, "is no address");
	m->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->fd < 0)
		return fail(e, MB_LOCAL, m->name, strerror(errno));
	setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(m->fd, (struct sockaddr *)&ss, len) != 0)
		err = errno == EINPROGRESS ? await_connect(m->fd, deadline) : errno;
	if (err == ETIMEDOUT)
		return fail(e, MB_TIMEOUT, m->name, "no connection in time");
	return err == 0 || fail(e, MB_NO_CONNECTION, m->name, strerror(err));
}

/* --- the serial port ------------------------------------------------------------------------------- */

/* drivers/serial leaves it at 8N1; Modbus asks for 8E1 where nothing else is agreed. */
static bool set_frame(int fd, const struct mb_target *t)
{
	struct termios s;

	if (tcgetattr(fd, &s) != 0)
		return false;
	s.c_cflag &= ~(tcflag_t)(PARENB | PARODD | CSTOPB);
	s.c_cflag |= t->parity == 'N' ? 0 : t->parity == 'O' ? PARENB | PARODD : PARENB;
	s.c_cflag |= t->stop_bits == 2 ? CSTOPB : 0;
	return tcsetattr(fd, TCSANOW, &s) == 0;
}

/* Waits its turn while another program has the port. */
static bool open_serial(struct mb *m, const struct mb_target *t, int64_t deadline, struct mb_error *e)
{
	const struct serial_settings set = {.baud = t->baud};
	char why[260];

	for (;;) {
		errno = 0;
		m->serial = serial_open(t->device, &set, why, sizeof(why));
		if (m->serial != NULL || errno != EWOULDBLOCK || clock_boot_ms() >= deadline)
			break;
		poll(NULL, 0, LOCK_RETRY_MS);
	}
	if (m->serial == NULL) {
		e->fault = MB_NO_CONNECTION;
		snprintf(e->text, sizeof(e->text), "%s", why);
		return false;
	}
	m->fd = serial_fd(m->serial);
	if (!set_frame(m->fd, t))
		return fail(e, MB_LOCAL, m->name, "parity or stop bits cannot be set");
	serial_discard_input(m->serial);
	return true;
}

/* --- the whole ------------------------------------------------------------------------------------- */

static modbus_t *context(const struct mb_target *t)
{
	/* the address is never used: connecting is ours */
	return t->host ? modbus_new_tcp("127.0.0.1", t->port)
		       : modbus_new_rtu("/dev/null", t->baud, t->parity, 8, t->stop_bits);
}

struct mb *mb_open(const struct mb_target *t, int64_t deadline, struct mb_error *e)
{
	struct mb *m = calloc(1, sizeof(*m));
	bool ok;

	*e = (struct mb_error){0};
	if (m == NULL) {
		fail(e, MB_LOCAL, t->host ? t->host : t->device, "out of memory");
		return NULL;
	}
	m->fd = -1;
	if (t->host)
		snprintf(m->name, sizeof(m->name), "%.64s port %d", t->host, t->port);
	else
		snprintf(m->name, sizeof(m->name), "%.100s", t->device);
	ok = t->host ? connect_tcp(m, t, deadline, e) : open_serial(m, t, deadline, e);
	if (ok && m->fd >= FD_SETSIZE) /* libmodbus waits with select() */
		ok = fail(e, MB_LOCAL, m->name, "too many open files for libmodbus");
	if (ok && (m->ctx = context(t)) == NULL)
		ok = fail(e, MB_LOCAL, m->name, "out of memory");
	if (!ok) {
		mb_close(m);
		return NULL;
	}
	modbus_set_socket(m->ctx, m->fd);
	modbus_set_byte_timeout(m->ctx, 0, 0); /* then the other one counts for the whole answer */
	return m;
}

void mb_close(struct mb *m)
{
	if (m == NULL)
		return;
	if (m->ctx != NULL)
		modbus_free(m->ctx);
	if (m->serial != NULL)
		serial_close(m->serial);
	else if (m->fd >= 0)
		close(m->fd);
	free(m);
}

/* The time that is left becomes the limit of the next answer. False when there is none. */
static bool prepare(struct mb *m, int unit, int64_t deadline, struct mb_error *e)
{
	int64_t left = deadline - clock_boot_ms();

	*e = (struct mb_error){0};
	if (left <= 0)
		return fail(e, MB_TIMEOUT, m->name, "no time left");
	if (modbus_set_slave(m->ctx, unit) != 0)
		return fail(e, MB_LOCAL, m->name, "no such unit");
	modbus_set_response_timeout(m->ctx, (uint32_t)(left / 1000), (uint32_t)(left % 1000 * 1000));
	errno = 0;
	return true;
}

static bool read_bits(struct mb *m, enum mb_table t, int address, int n, uint16_t *out)
{
	uint8_t bits[MB_READ_MAX];
	int got = t == MB_COIL ? modbus_read_bits(m->ctx, address, n, bits)
			       : modbus_read_input_bits(m->ctx, address, n, bits);

	for (int i = 0; i < n && got == n; i++)
		out[i] = bits[i];
	return got == n;
}

bool mb_read(struct mb *m, int unit, enum mb_table t, int address, int n, uint16_t *out, int64_t deadline,
	     struct mb_error *e)
{
	bool ok;

	if (!prepare(m, unit, deadline, e))
		return false;
	if (n < 1 || n > MB_READ_MAX)
		return fail(e, MB_LOCAL, m->name, "that many values cannot be read at once");
	if (t == MB_COIL || t == MB_DISCRETE)
		ok = read_bits(m, t, address, n, out);
	else if (t == MB_HOLDING)
		ok = modbus_read_registers(m->ctx, address, n, out) == n;
	else
		ok = modbus_read_input_registers(m->ctx, address, n, out) == n;
	return ok || failed(e, m, errno != 0 ? errno : EMBBADDATA);
}

bool mb_write(struct mb *m, int unit, enum mb_table t, int address, uint16_t value, int64_t deadline,
	      struct mb_error *e)
{
	int n;

	if (!prepare(m, unit, deadline, e))
		return false;
	if (t == MB_COIL)
		n = modbus_write_bit(m->ctx, address, value != 0);
	else if (t == MB_HOLDING)
		n = modbus_write_register(m->ctx, address, value);
	else
		return fail(e, MB_LOCAL, m->name, "inputs cannot be written");
	return n == 1 || failed(e, m, errno != 0 ? errno : EMBBADDATA);
}
