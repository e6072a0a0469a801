/* What a download of the OTA cluster becomes: an image in the other slot. */
#pragma once

#include "esp_zigbee.h"

/* One message of the client's progress; sets its out.result. */
void upgrade_step(ezb_zcl_ota_upgrade_client_progress_message_t *message);
