/* For commands that run until they are told to end. */
#ifndef CLI_STOP_SIGNALS_H
#define CLI_STOP_SIGNALS_H

/* SIGINT and SIGTERM as a descriptor that becomes readable: they end the work, not the
 * process. -1 and errno. */
int cli_stop_signals(void);

#endif
