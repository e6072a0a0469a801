/* The server's log: lines on stderr, "airliftd: text". Thread-safe. */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

void server_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
