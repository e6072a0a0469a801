# From the program to what lies in flash: app, boot loader, partition table,
# ota_data_initial.bin, and the files that say what goes where.

# The CSV of the partition table: the project's own, or one of partition_table/.
function(__airlift_partition_csv var)
    if(CONFIG_PARTITION_TABLE_CUSTOM)
        get_filename_component(csv "${CONFIG_PARTITION_TABLE_CUSTOM_FILENAME}" ABSOLUTE
            BASE_DIR "${CMAKE_SOURCE_DIR}")
    else()
        set(csv "${IDF_PATH}/components/partition_table/${CONFIG_PARTITION_TABLE_FILENAME}")
    endif()
    if(NOT EXISTS "${csv}")
        __airlift_fail("Partition table CSV ${csv} does not exist.\n"
            "Change CONFIG_PARTITION_TABLE_CUSTOM_FILENAME, or make the file.")
    endif()
    set(${var} "${csv}" PARENT_SCOPE)
endfunction()

function(__airlift_partition_table)
    __airlift_partition_csv(csv)
    set(options --offset "${CONFIG_PARTITION_TABLE_OFFSET}" --flash-size "${CONFIG_ESPTOOLPY_FLASHSIZE}"
        --primary-bootloader-offset "${CONFIG_BOOTLOADER_OFFSET_IN_FLASH}")
    if(NOT CONFIG_PARTITION_TABLE_MD5)
        list(APPEND options --disable-md5sum)
    endif()
    if(CONFIG_BOOTLOADER_RECOVERY_ENABLE)
        list(APPEND options --recovery-bootloader-offset "${CONFIG_BOOTLOADER_RECOVERY_OFFSET}")
    endif()
    if(CONFIG_SECURE_BOOT_V1_ENABLED)
        list(APPEND options --secure v1)
    elseif(CONFIG_SECURE_BOOT_V2_ENABLED)
        list(APPEND options --secure v2)
    endif()
    set(bin "${CMAKE_BINARY_DIR}/partition_table/partition-table.bin")
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/partition_table")
    add_custom_command(OUTPUT "${bin}"
        COMMAND "${AIRLIFT_PROGRAM}" partition build "${csv}" --out "${bin}" ${options}
        DEPENDS "${csv}" "${CMAKE_BINARY_DIR}/sdkconfig"
        COMMENT "Making the partition table from ${csv}" VERBATIM)
    add_custom_target(partition-table ALL DEPENDS "${bin}")
endfunction()

# --key and --scheme for `airlift image sign`, or "" when nothing is signed. kind:
# APP or BOOTLOADER, which only the boot ROM could verify.
function(__airlift_signing var kind)
    set(${var} "" PARENT_SCOPE)
    if(NOT CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES OR
        (kind STREQUAL "BOOTLOADER" AND NOT CONFIG_SECURE_BOOT_V2_ENABLED))
        return()
    endif()
    get_filename_component(key "${CONFIG_SECURE_BOOT_SIGNING_KEY}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    if(NOT EXISTS "${key}")
        __airlift_fail("Secure Boot signing key ${key} does not exist. Generate using:\n"
            "\topenssl genrsa -out ${key} 3072\n"
            "(for ECDSA: openssl ecparam -name prime256v1 -genkey -noout -out ${key})")
    endif()
    set(scheme v2)
    if(CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME)
        set(scheme v1)
    endif()
    set(${var} --key "${key}" --scheme ${scheme} PARENT_SCOPE)
endfunction()

# Secure Boot V1: the app knows the public half of the key, which no signature names.
function(__airlift_verification_key target)
    __airlift_signing(signing APP)
    if(NOT signing OR NOT CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME)
        return()
    endif()
    list(GET signing 1 key)
    set(public "${CMAKE_BINARY_DIR}/config/signature_verification_key.der")
    add_custom_command(OUTPUT "${public}"
        COMMAND openssl pkey -in "${key}" -pubout -outform DER -out "${public}"
        DEPENDS "${key}" VERBATIM)
    target_add_binary_data(${target} "${public}" BINARY
        RENAME_TO signature_verification_key DEPENDS "${public}")
endfunction()

# Adds a command that makes OUTPUT by `airlift image make`, signed when configured.
function(__airlift_image kind output depends)
    __airlift_signing(signing ${kind})
    set(made "${output}")
    set(sign "")
    if(signing)
        string(REGEX REPLACE "\\.bin$" "-unsigned.bin" made "${output}")
        set(sign COMMAND "${AIRLIFT_PROGRAM}" image sign "${made}" ${signing} --out "${output}")
        list(GET signing 1 key)
        list(APPEND depends "${key}")
    endif()
    get_filename_component(name "${output}" NAME)
    add_custom_command(OUTPUT "${output}"
        COMMAND "${AIRLIFT_PROGRAM}" image make --sdkconfig "${CMAKE_BINARY_DIR}/sdkconfig"
            --idf-ver "${IDF_VER}" --out "${made}" ${ARGN}
        ${sign}
        DEPENDS "${CMAKE_BINARY_DIR}/sdkconfig" ${depends}
        COMMENT "Making ${name}" VERBATIM)
endfunction()

function(__airlift_app_image project_name)
    set(elf "${project_name}.elf")
    set(options --elf "${CMAKE_BINARY_DIR}/${project_name}.stripped" "--project-name=${AIRLIFT_APP_NAME}"
        "--version=${AIRLIFT_APP_VERSION}")
    if(CONFIG_APP_REPRODUCIBLE_BUILD OR NOT CONFIG_APP_COMPILE_TIME_DATE)
        list(APPEND options --no-date)
    endif()
    if(CONFIG_SECURE_SIGNED_APPS_RSA_SCHEME OR CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME)
        list(APPEND options --secure-pad-v2)
    endif()
    add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/${project_name}.stripped"
        COMMAND "${CMAKE_STRIP}" -o "${CMAKE_BINARY_DIR}/${project_name}.stripped" $<TARGET_FILE:${elf}>
        DEPENDS ${elf} VERBATIM)
    # The description is part of the image: another name or version makes it anew.
    set(stamp "${CMAKE_BINARY_DIR}/config/app_description.txt")
    file(CONFIGURE OUTPUT "${stamp}" CONTENT "${AIRLIFT_APP_NAME}\n${AIRLIFT_APP_VERSION}\n" @ONLY)
    __airlift_image(APP "${CMAKE_BINARY_DIR}/${project_name}.bin"
        "${CMAKE_BINARY_DIR}/${project_name}.stripped;${stamp}" ${options})
    add_custom_target(app ALL DEPENDS "${CMAKE_BINARY_DIR}/${project_name}.bin")
endfunction()

function(__airlift_bootloader_image)
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/bootloader")
    set(options --bootloader)
    if(NOT CONFIG_BOOTLOADER_COMPILE_TIME_DATE)
        list(APPEND options --no-date)
    endif()
    __airlift_image(BOOTLOADER "${CMAKE_BINARY_DIR}/bootloader/bootloader.bin" "" ${options})
    add_custom_target(bootloader ALL DEPENDS "${CMAKE_BINARY_DIR}/bootloader/bootloader.bin")
endfunction()

# esptool_py_flash_to_partition(flash label file): flashed together with the rest
function(esptool_py_flash_to_partition target label file)
    get_filename_component(file "${file}" ABSOLUTE BASE_DIR "${CMAKE_BINARY_DIR}")
    set_property(GLOBAL APPEND PROPERTY AIRLIFT_FLASH_EXTRA "${label}=${file}")
endfunction()

function(__airlift_package project_name)
    idf_build_get_property(components BUILD_COMPONENTS)
    get_property(config_files GLOBAL PROPERTY AIRLIFT_CONFIG_FILES)
    get_property(extra GLOBAL PROPERTY AIRLIFT_FLASH_EXTRA)
    set(extra_options "")
    foreach(item IN LISTS extra)
        list(APPEND extra_options --put "${item}")
    endforeach()
    string(REPLACE ";" "\", \"" components "${components}")
    set(PROJECT_DESCRIPTION_COMPONENTS "${components}")
    set(PROJECT_DESCRIPTION_DEFAULTS "${config_files}")
    configure_file("${IDF_PATH}/tools/cmake/project_description.json.in"
        "${CMAKE_BINARY_DIR}/project_description.json" @ONLY)
    set(stamp "${CMAKE_BINARY_DIR}/flash_args")
    add_custom_command(OUTPUT "${stamp}"
        COMMAND "${AIRLIFT_PYTHON}" "${IDF_PATH}/tools/package.py" --airlift "${AIRLIFT_PROGRAM}"
            --build-dir "${CMAKE_BINARY_DIR}" --app "${project_name}.bin" ${extra_options}
        DEPENDS "${CMAKE_BINARY_DIR}/${project_name}.bin" "${CMAKE_BINARY_DIR}/bootloader/bootloader.bin"
            "${CMAKE_BINARY_DIR}/partition_table/partition-table.bin" "${IDF_PATH}/tools/package.py"
        COMMENT "Checking sizes" VERBATIM)
    add_custom_target(package ALL DEPENDS "${stamp}")
    add_dependencies(package app bootloader partition-table)
endfunction()

function(__airlift_make_images project_name)
    __airlift_partition_table()
    __airlift_bootloader_image()
    __airlift_app_image(${project_name})
    __airlift_package(${project_name})
endfunction()
