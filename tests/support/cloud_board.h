/* The test board with user partitions of ESP-AT, settled for a cloud in this process:
 *
 *   0x320000  at_customize 0x20000 (0x40, 0), its table in the first 4 KiB, then
 *   0x321000  mqtt_ca       0x2000     0x325000  user_blob  0x2000
 *   0x323000  ble_data      0x1000     0x340000  mfg_nvs    0x4000 (primary table)
 *   0x324000  factory_param 0x1000 */
#ifndef TESTS_SUPPORT_CLOUD_BOARD_H
#define TESTS_SUPPORT_CLOUD_BOARD_H

#include <stdint.h>

#define CLOUD_MQTT_CA   0x321000u
#define CLOUD_BLE_DATA  0x323000u
#define CLOUD_USER_BLOB 0x325000u
#define CLOUD_PART_SIZE 0x2000u /* of mqtt_ca and user_blob */

/* As test_board_new; the user partitions are filled with byte 0x5a, settings are none. */
void cloud_board_new(void);
/* Keys of namespace airlift_ota in mfg_nvs. */
void cloud_board_set(const char *key, const char *text);
void cloud_board_set_port(const char *key, uint16_t port);
/* connect_to (key) is 127.0.0.1:port. */
void cloud_board_connect(const char *key, int port);

#endif
