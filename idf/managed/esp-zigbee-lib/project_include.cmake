# Its users see the headers whatever they say in REQUIRES, as with the vendor's manager.
idf_build_set_property(INCLUDE_DIRECTORIES "${AIRLIFT_ZIGBEE_DIR}/include" APPEND)
