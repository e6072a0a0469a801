/* Any text as the index.json beside two images: each is taken, with limits that make sense, or
 * refused by its name; what is handed out to devices and told of in JSON follows from that. */
#include <unistd.h>

#include "core/bytes.h"
#include "host/file.h"
#include "server/gateway_images.h"
#include "tests/fuzz/coordinator.h"
#include "tests/fuzz/json_mutate.h"

#define IMAGES    2
#define IMAGE_LEN 100u

static char dir[64], path[IMAGES + 1][80];
static const char *const names[IMAGES + 1] = {"a.ota", "b.ota", "index.json"};

static void remove_directory(void)
{
    for (int i = 0; i <= IMAGES; i++) unlink(path[i]);
    rmdir(dir);
}

/* b has the hardware versions 2 to 5 in its header. */
static void write_image(int i)
{
    uint8_t file[200] = {0};
    struct al_zfile_header h = {.header_version = AL_ZFILE_HEADER_VERSION,
                                .field_control = i ? AL_ZFILE_HAS_HARDWARE : 0,
                                .manufacturer = 0x131b,
                                .image_type = 0x1011,
                                .file_version = 2u + (unsigned)i,
                                .min_hardware = 2,
                                .max_hardware = 5};
    uint16_t header = al_zfile_header_size(h.field_control);
    h.total_image_size = header + AL_ZFILE_ELEMENT_HEADER + IMAGE_LEN;
    al_zfile_build_header(&h, file);
    al_put_le32(file + header + 2, IMAGE_LEN);
    must(file_write(path[i], file, h.total_image_size, 0600) == 0);
}

static void set_up(void)
{
    own_directory(dir, sizeof dir);
    for (int i = 0; i <= IMAGES; i++) snprintf(path[i], sizeof path[i], "%s/%s", dir, names[i]);
    for (int i = 0; i < IMAGES; i++) write_image(i);
    atexit(remove_directory);
}

struct told {
    unsigned count, refused;
};

static void tell(void *ctx, const char *line)
{
    struct told *told = ctx;
    for (int i = 0; i < IMAGES; i++) {
        if (strncmp(line, names[i], strlen(names[i])) != 0) continue;
        told->count++;
        told->refused += strstr(line, ": not taken: ") != NULL;
        must(strlen(line) > strlen("a.ota: not taken: "));
    }
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check_image(const struct gateway_image *i)
{
    must(ends(i->name, sizeof i->name) && ends(i->model, sizeof i->model));
    for (size_t k = 0; k < GATEWAY_IMAGE_MAKERS; k++)
        must(ends(i->manufacturers[k], sizeof i->manufacturers[k]));
    must(i->limits.force == i->limits.downgrade);
    must(i->limits.has_hardware || strcmp(i->name, "b.ota") != 0);
}

/* What is for a device is one of them, and for its model. */
static void ask(const struct gateway_images *s, const char *model, uint16_t hardware)
{
    char why[300] = "";
    struct al_zota_wanted w = {.id = {0x131b, 0x1011, 1},
                               .ext_addr = 1,
                               .has_hardware_version = hardware != 0,
                               .hardware_version = hardware};
    struct gateway_image_target target = {model, "Maker"};
    const struct gateway_image *i = gateway_images_for(s, &w, &target, why, sizeof why);
    must(i || why[0]);
    if (!i) return;
    must(gateway_images_of(s, i->ref) != NULL);
    must(!i->model[0] || strcmp(i->model, model) == 0);
    must(!hardware || !i->limits.has_hardware ||
         (hardware >= i->limits.min_hardware && hardware <= i->limits.max_hardware));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[300];
    struct told told = {0};
    if (!dir[0]) set_up();
    must(file_write(path[IMAGES], data, size, 0600) == 0);
    struct gateway_images *s = gateway_images_new();
    must(s && gateway_images_scan(s, dir, tell, &told, error, sizeof error) == 0);
    must(told.count == IMAGES && gateway_images_count(s) == IMAGES - told.refused);
    for (size_t i = 0; i < gateway_images_count(s); i++) check_image(gateway_images_at(s, i));
    for (uint16_t hardware = 0; hardware < 3; hardware++) {
        ask(s, "", hardware);
        ask(s, "plug", hardware);
    }
    cJSON *list = gateway_images_json(s);
    must(cJSON_GetArraySize(list) == (int)gateway_images_count(s));
    cJSON_Delete(list);
    gateway_images_free(s);
    return 0;
}
