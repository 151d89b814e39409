/*
 * The log: one line per message on standard error. Under systemd (JOURNAL_STREAM
 * set) each line starts with the "<N>" priority of sd-daemon(3); elsewhere with
 * local time and the program's name. Control bytes in a message are shown as \xNN.
 * Never waits longer than a moment: lines that nobody takes are left out and counted.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

enum log_level { LOG_L_ERR = 3, LOG_L_WARN = 4, LOG_L_NOTICE = 5, LOG_L_INFO = 6, LOG_L_DEBUG = 7 };

/* name must outlive the program; level: the most talkative that is still shown. */
void log_init(const char *name, enum log_level level);
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...) log_msg(LOG_L_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_L_WARN, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_L_NOTICE, __VA_ARGS__)
#define log_info(...) log_msg(LOG_L_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_L_DEBUG, __VA_ARGS__)

#endif
