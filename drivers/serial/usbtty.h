/*
 * Finds the tty of a USB modem by what it is, because ttyUSB numbers change at each replug.
 */
#ifndef DRIVERS_SERIAL_USBTTY_H
#define DRIVERS_SERIAL_USBTTY_H

#include <stdbool.h>
#include <stddef.h>

/* True for "usb:VID:PID[:SERIAL][@INTERFACE]" (hex digits; INTERFACE as in bInterfaceNumber, "02"). */
bool usbtty_is_spec(const char *device);
/* False and a reason when it is not well-formed. */
bool usbtty_check(const char *spec, char *why, size_t size);
/* Looks through sys ("/sys"; a test gives its own tree); of several the one with the lowest interface number,
 * then the shortest, lowest name. The path ("/dev/ttyUSB0") into out. */
bool usbtty_find(const char *sys, const char *spec, char *out, size_t outsize, char *why, size_t size);
/* The USB device behind a tty ("/dev/ttyUSB0"), as under SYS/bus/usb/devices ("1-1.2"). False: none. */
bool usbtty_device(const char *sys, const char *tty, char *out, size_t size);

#endif
