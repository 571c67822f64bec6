/* The newer block is told by what is in its entries, which the journal does not know. */
#include "journal.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define CRC_BYTES 4U
#define LEAST_ENTRIES 4U

static size_t place(const struct journal *journal, size_t block, size_t number) {
  return (journal->first_block + block) * journal->flash->block_size + number * journal->stride;
}

void journal_open(struct journal *journal, const struct flash *flash, size_t first_block, size_t end_block,
                  size_t size) {
  memset(journal, 0, sizeof *journal);
  journal->flash = flash;
  journal->first_block = first_block;
  journal->size = size;
  if (!flash_is_usable(flash) || end_block > flash->block_count || end_block < first_block + JOURNAL_BLOCKS) {
    return;
  }
  journal->stride = flash_programmed_size(flash, size);
  const size_t entries = flash->block_size / journal->stride;
  journal->entries = entries >= LEAST_ENTRIES ? entries : 0;
}

bool journal_read(const struct journal *journal, size_t block, size_t number, uint8_t *entry) {
  const size_t body = journal->size - CRC_BYTES;
  flash_read(journal->flash, place(journal, block, number), entry, journal->size);
  return load_le32(entry + body) == crc32_update(0, entry, body);
}

static bool is_blank(const struct journal *journal, size_t number) {
  const size_t at = place(journal, journal->block, number);
  for (size_t i = 0; i < journal->stride; i++) {
    uint8_t byte;
    flash_read(journal->flash, at + i, &byte, 1);
    if (byte != 0xFF) {
      return false;
    }
  }
  return true;
}

void journal_go_on(struct journal *journal, size_t block) {
  journal->block = block;
  journal->next = journal->entries;
  while (journal->next > 0 && is_blank(journal, journal->next - 1U)) {
    journal->next--;
  }
}

bool journal_turn(struct journal *journal) {
  if (journal->entries == 0 || journal->next < journal->entries) {
    return false;
  }
  const size_t other = 1U - journal->block;
  if (journal->flash->erase(journal->flash->context, journal->first_block + other) != STATUS_OK) {
    journal->problem = true;
    return false;
  }
  journal->block = other;
  journal->next = 0;
  return true;
}

void journal_append(struct journal *journal, uint8_t *entry) {
  if (journal->next >= journal->entries) {
    return; /* there is no room, or the other block could not be erased */
  }
  const size_t body = journal->size - CRC_BYTES;
  store_le32(entry + body, crc32_update(0, entry, body));
  memset(entry + journal->size, 0xFF, journal->stride - journal->size);
  journal->problem =
      flash_program(journal->flash, place(journal, journal->block, journal->next), entry, journal->stride) != STATUS_OK;
  journal->next++;
}
