/* Partitions: the list, and finding in it. Reading and writing: esp_partition_io.c. */
#include "esp_partition.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/part_table.h"
#include "device/board.h"
#include "esp/esp-idf/idf_device.h"
#include "esp_flash.h"

/* The table's partitions stay where they are, for ever, as user partitions do once they are
 * there; registered ones can be taken away again. */
struct node {
    struct node *next;
    esp_partition_t partition;
    bool registered, user;
};

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    char label[18]; /* one more than a partition's: a longer name is nobody's */
    bool any_label;
    struct node *next;
    const esp_partition_t *found;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static struct node from_table[AL_PART_MAX], *first;

static void load(void)
{
    struct al_ota *o = idf_device_lock();
    struct node **end = &first;
    for (uint32_t i = 0; i < o->table->count; i++) {
        struct node *n = &from_table[i];
        idf_partition(&o->table->part[i], &n->partition);
        *end = n;
        end = &n->next;
    }
    idf_device_unlock();
}

static void lock_list(void)
{
    pthread_once(&loaded, load);
    pthread_mutex_lock(&lock);
}

static void unlock_list(void)
{
    pthread_mutex_unlock(&lock);
}

static void advance(esp_partition_iterator_t it)
{
    it->found = NULL;
    for (struct node *n = it->next; n && !it->found; n = n->next) {
        const esp_partition_t *p = &n->partition;
        if (it->type != ESP_PARTITION_TYPE_ANY && it->type != p->type) continue;
        if (it->subtype != ESP_PARTITION_SUBTYPE_ANY && it->subtype != p->subtype) continue;
        if (!it->any_label && strcmp(it->label, p->label)) continue;
        it->found = p;
        it->next = n->next;
    }
}

esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                 const char *label, esp_partition_iterator_t *out)
{
    if (!out) return ESP_ERR_INVALID_ARG;
    *out = NULL;
    if (type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY)
        return ESP_ERR_INVALID_ARG;
    esp_partition_iterator_t it = calloc(1, sizeof *it);
    if (!it) return ESP_ERR_NO_MEM;
    it->type = type;
    it->subtype = subtype;
    it->any_label = !label;
    if (label) snprintf(it->label, sizeof it->label, "%s", label);
    lock_list();
    it->next = first;
    advance(it);
    unlock_list();
    if (it->found) {
        *out = it;
        return ESP_OK;
    }
    free(it);
    return ESP_ERR_NOT_FOUND;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype, const char *label)
{
    esp_partition_iterator_t it;
    esp_partition_find_err(type, subtype, label, &it);
    return it;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t it)
{
    assert(it);
    lock_list();
    advance(it);
    unlock_list();
    if (it->found) return it;
    free(it);
    return NULL;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t it)
{
    assert(it);
    return it->found;
}

void esp_partition_iterator_release(esp_partition_iterator_t it)
{
    free(it);
}

esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                       const char *label, const esp_partition_t **partition)
{
    if (!partition) return ESP_ERR_INVALID_ARG;
    esp_partition_iterator_t it;
    esp_err_t err = esp_partition_find_err(type, subtype, label, &it);
    *partition = it ? it->found : NULL;
    free(it);
    return err;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype, const char *label)
{
    const esp_partition_t *p;
    esp_partition_find_first_err(type, subtype, label, &p);
    return p;
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *p)
{
    assert(p);
    const esp_partition_t *found = NULL;
    lock_list();
    for (struct node *n = first; n && !found; n = n->next) {
        const esp_partition_t *q = &n->partition;
        if (q->type == p->type && q->subtype == p->subtype && q->address == p->address &&
            q->size == p->size && q->encrypted == p->encrypted && q->flash_chip == p->flash_chip &&
            (!p->label[0] || !strcmp(q->label, p->label)))
            found = q;
    }
    unlock_list();
    return found;
}

/* --- partitions registered at run time --- */

/* List locked. Tells the update engine what is registered now. */
static esp_err_t publish(void)
{
    uint32_t count = 0;
    for (struct node *n = first; n; n = n->next) count += n->registered || n->user;
    struct al_part *parts = calloc(count ? count : 1, sizeof *parts);
    if (!parts) return ESP_ERR_NO_MEM;
    count = 0;
    for (struct node *n = first; n; n = n->next)
        if (n->registered || n->user) parts[count++] = idf_part(&n->partition);
    bool ok = idf_device_set_extra(parts, count);
    free(parts);
    return ok ? ESP_OK : ESP_ERR_NO_MEM;
}

static bool overlaps(const esp_partition_t *p, size_t offset, size_t size)
{
    return offset < (size_t)p->address + p->size && p->address < offset + size;
}

esp_err_t esp_partition_register_external(esp_flash_t *chip, size_t offset, size_t size,
                                          const char *label, esp_partition_type_t type,
                                          esp_partition_subtype_t subtype,
                                          const esp_partition_t **out)
{
    if (out) *out = NULL;
    size_t flash_size = board()->nor.flash.size;
    if (chip && chip != esp_flash_default_chip) return ESP_ERR_NOT_SUPPORTED;
    if (offset > flash_size || size > flash_size - offset) return ESP_ERR_INVALID_SIZE;
    struct node *n = calloc(1, sizeof *n);
    if (!n) return ESP_ERR_NO_MEM;
    struct al_part part = {.type = (uint8_t)type,
                           .subtype = (uint8_t)subtype,
                           .offset = (uint32_t)offset,
                           .size = (uint32_t)size};
    snprintf(part.label, sizeof part.label, "%s", label ? label : "");
    idf_partition(&part, &n->partition);
    n->registered = true;

    lock_list();
    esp_err_t err = ESP_OK;
    struct node **end = &first;
    for (; *end; end = &(*end)->next)
        if (overlaps(&(*end)->partition, offset, size)) err = ESP_ERR_INVALID_ARG;
    if (!err) {
        *end = n;
        err = publish();
        if (err) *end = NULL;
    }
    unlock_list();
    if (err)
        free(n);
    else if (out)
        *out = &n->partition;
    return err;
}

esp_err_t idf_partition_add_user(const struct al_part *parts, uint32_t count,
                                 const esp_partition_t **out)
{
    struct node *nodes = calloc(count, sizeof *nodes);
    if (!nodes) return ESP_ERR_NO_MEM;
    for (uint32_t i = 0; i < count; i++) {
        idf_partition(&parts[i], &nodes[i].partition);
        nodes[i].user = true;
        nodes[i].next = i + 1 < count ? &nodes[i + 1] : NULL;
        out[i] = &nodes[i].partition;
    }
    lock_list();
    struct node **end = &first;
    while (*end) end = &(*end)->next;
    *end = nodes;
    esp_err_t err = publish();
    if (err) *end = NULL;
    unlock_list();
    if (err) free(nodes);
    return err;
}

esp_err_t esp_partition_deregister_external(const esp_partition_t *p)
{
    esp_err_t err = ESP_ERR_NOT_FOUND;
    lock_list();
    for (struct node **at = &first; *at; at = &(*at)->next) {
        struct node *n = *at;
        if (&n->partition != p) continue;
        err = n->registered ? ESP_OK : ESP_ERR_INVALID_ARG;
        if (err) break;
        *at = n->next;
        err = publish();
        if (err)
            *at = n;
        else
            free(n);
        break;
    }
    unlock_list();
    return err;
}
