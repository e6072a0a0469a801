/* RTC memory: what a reset keeps. Variables marked RTC_NOINIT_ATTR survive every
 * reset but power-on, those marked RTC_DATA_ATTR deep sleep. They live in the
 * process; before it ends they are copied to the control page, and back at start. */
#ifndef ESP_RTC_MEMORY_H
#define ESP_RTC_MEMORY_H

/* At start: fetches what the last run left. Warns when the variables do not fit. */
void rtc_memory_restore(void);
/* Before a reset that is asked for. */
void rtc_memory_save(void);
/* Saves at fatal signals too. After each board_catch_faults(), which sets its own
 * handlers; those are called behind this one. */
void rtc_memory_catch_faults(void);

#endif
