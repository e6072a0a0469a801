/* Says hello, tells the chip, and restarts after ten seconds. */
#include <inttypes.h>
#include <stdio.h>

#include "esp_chip_info.h"
#include "esp_flash.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

void app_main(void)
{
    esp_chip_info_t chip;
    uint32_t flash_size;

    printf("Hello world!\n");
    esp_chip_info(&chip);
    printf("This is %s chip with %d CPU core(s), silicon revision v%d.%d\n", CONFIG_IDF_TARGET,
           chip.cores, chip.revision / 100, chip.revision % 100);
    if (esp_flash_get_size(NULL, &flash_size) != ESP_OK) {
        printf("Get flash size failed\n");
        return;
    }
    printf("%" PRIu32 "MB flash\n", flash_size / (1024 * 1024));

    for (int i = 10; i >= 0; i--) {
        printf("Restarting in %d seconds...\n", i);
        vTaskDelay(1000 / portTICK_PERIOD_MS);
    }
    printf("Restarting now.\n");
    fflush(stdout);
    esp_restart();
}
