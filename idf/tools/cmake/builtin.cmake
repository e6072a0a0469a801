# Components of ESP-IDF that the built-in layer stands for: naming one in
# REQUIRES or in idf_component.yml asks for nothing more.
set(__airlift_builtin
    app_update bootloader bootloader_support cjson cxx driver efuse esp-tls esp_app_format
    esp_bootloader_format esp_common esp_driver_gpio esp_driver_uart esp_eth esp_event
    esp_hal_gpio esp_hw_support esp_http_client esp_https_ota esp_libc esp_mm esp_netif
    esp_netif_stack esp_partition esp_phy esp_pm esp_rom esp_security esp_system esp_timer
    esp_vfs_console esp-zboss-lib esp_wifi esptool_py freertos hal heap idf_test json log lwip mbedtls newlib
    nvs_flash nvs_sec_provider partition_table protocol_examples_common pthread riscv soc
    spi_flash tcp_transport vfs wpa_supplicant xtensa)

# Others, whose headers are missing here. A project that only lists them builds.
set(__airlift_absent
    app_trace bt cmock console esp_adc esp_blockdev esp_bt esp_coex esp_driver_ana_cmpr
    esp_driver_cam esp_driver_dac esp_driver_gptimer esp_driver_i2c esp_driver_i2s
    esp_driver_ledc esp_driver_mcpwm esp_driver_parlio esp_driver_pcnt esp_driver_ppa
    esp_driver_rmt esp_driver_sdio esp_driver_sdm esp_driver_sdmmc esp_driver_sdspi
    esp_driver_spi esp_driver_touch_sens esp_driver_tsens esp_driver_usb_serial_jtag
    esp_gdbstub esp_hid esp_http_server esp_https_server esp_lcd esp_local_ctrl esp_psram
    esp_ringbuf esp_trace espcoredump fatfs http_parser ieee802154 mqtt openthread perfmon
    protobuf-c protocomm rt sdmmc spiffs ulp unity usb wear_levelling wifi_provisioning)

# Components of ESP-ADF, and what only its projects find here; see idf/adf.
if(AIRLIFT_ADF)
    set(__airlift_adf
        adf_utils audio_sal esp_dispatcher esp_peripherals ota_service tone_partition
        fatfs sdmmc test_utils unity)
    list(APPEND __airlift_builtin ${__airlift_adf})
    list(REMOVE_ITEM __airlift_absent ${__airlift_adf})
    list(APPEND __airlift_absent
        audio_hal audio_pipeline audio_recorder audio_stream battery_service bluetooth_service
        clouds coredump_upload_service display_service dueros_service esp-adf-libs esp-sr
        esp_actions esp_codec_dev esp_event_cast esp_lcd_panel input_key_service led_strip
        playlist wifi_service)
endif()

function(__airlift_is_builtin var name)
    if(name IN_LIST __airlift_builtin)
        set(${var} TRUE PARENT_SCOPE)
    else()
        set(${var} FALSE PARENT_SCOPE)
    endif()
endfunction()
