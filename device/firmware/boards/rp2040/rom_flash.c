/* Erase, program and identity, each in one step during which the chip answers no reads. */
#include "rom_flash.h"

#include <stdbool.h>
#include <string.h>

#include "registers.h"
#include "xip.h"

#define IN_RAM __attribute__((section(".in_ram"), noinline))

#define UNIT 8U /* that is programmed at once; the chip takes any byte, the core likes a power of two */
#define BLOCK_64K 65536U
#define ERASE_64K 0xD8U
#define READ_UNIQUE_ID 0x4BU
#define UNIQUE_ID_DUMMIES 4U
#define QSPI_SELECT_CTRL 0x4001800CU
#define QSPI_SELECT_LEVELS (3U << 8)
#define QSPI_SELECT_LOW (2U << 8)
#define QSPI_SELECT_HIGH (3U << 8)

/* Functions of the ROM: a pointer to a table of codes of two letters at 0x14, to a function that looks into it at 0x18.
 */
#define ROM_WORD(address) (*(const volatile uint16_t *)(uintptr_t)(address))
#define ROM_CODE(first, second) ((uint32_t)(second) << 8 | (uint32_t)(first))

struct rom {
  void (*connect)(void);
  void (*leave_xip)(void);
  void (*erase)(uint32_t at, size_t size, uint32_t block_size, uint8_t block_command);
  void (*program)(uint32_t at, const uint8_t *data, size_t size);
  void (*flush_cache)(void);
};

static uintptr_t look_up(uint32_t code) {
  uintptr_t at = 0x14; /* kept from a compiler that knows better than to read there */
  __asm__("" : "+r"(at));
  uintptr_t (*const look)(uintptr_t table, uint32_t code) =
      (uintptr_t(*)(uintptr_t, uint32_t))(uintptr_t)ROM_WORD(at + 4U);
  return look(ROM_WORD(at), code);
}

static struct rom rom_functions(void) {
  return (struct rom){
      .connect = (void (*)(void))look_up(ROM_CODE('I', 'F')),
      .leave_xip = (void (*)(void))look_up(ROM_CODE('E', 'X')),
      .erase = (void (*)(uint32_t, size_t, uint32_t, uint8_t))look_up(ROM_CODE('R', 'E')),
      .program = (void (*)(uint32_t, const uint8_t *, size_t))look_up(ROM_CODE('R', 'P')),
      .flush_cache = (void (*)(void))look_up(ROM_CODE('F', 'C')),
  };
}

IN_RAM static void enter(const struct rom *rom) {
  interrupts_off();
  rom->connect();
  rom->leave_xip();
}

IN_RAM static void leave(const struct rom *rom) {
  rom->flush_cache(); /* which lets go of the chip too */
  xip_start();
  interrupts_on();
}

IN_RAM static void erase_block(const struct rom *rom, uint32_t at) {
  enter(rom);
  rom->erase(at, ROM_FLASH_BLOCK, BLOCK_64K, ERASE_64K);
  leave(rom);
}

IN_RAM static void program_page(const struct rom *rom, uint32_t at, const uint8_t *page) {
  enter(rom);
  rom->program(at, page, ROM_FLASH_PAGE);
  leave(rom);
}

IN_RAM static void select(uint32_t level) {
  REGISTER(QSPI_SELECT_CTRL) = (REGISTER(QSPI_SELECT_CTRL) & ~QSPI_SELECT_LEVELS) | level;
  (void)REGISTER(QSPI_SELECT_CTRL);
}

IN_RAM static uint8_t exchange(uint8_t byte) {
  while ((SSI_STATUS & SSI_STATUS_ROOM) == 0U) {
  }
  SSI_DATA = byte;
  while ((SSI_STATUS & SSI_STATUS_RECEIVED) == 0U) {
  }
  return (uint8_t)SSI_DATA;
}

IN_RAM static void read_unique_id(const struct rom *rom, uint8_t *id) {
  enter(rom);
  select(QSPI_SELECT_LOW);
  (void)exchange(READ_UNIQUE_ID);
  for (unsigned i = 0; i < UNIQUE_ID_DUMMIES; i++) {
    (void)exchange(0);
  }
  for (unsigned i = 0; i < ROM_FLASH_UNIQUE_ID; i++) {
    id[i] = exchange(0);
  }
  select(QSPI_SELECT_HIGH);
  leave(rom);
}

static bool is_within(const struct rom_flash_part *part, size_t block, size_t offset, size_t size) {
  return block < part->blocks && offset <= ROM_FLASH_BLOCK && size <= ROM_FLASH_BLOCK - offset;
}

static uint32_t place(const struct rom_flash_part *part, size_t block, size_t offset) {
  return (uint32_t)(part->at + block * ROM_FLASH_BLOCK + offset);
}

static enum status read(void *context, size_t block, size_t offset, void *buffer, size_t size) {
  const struct rom_flash_part *part = context;
  if (!is_within(part, block, offset, size)) {
    return STATUS_ARGUMENT;
  }
  memcpy(buffer, (const void *)(uintptr_t)(FLASH_BASE + place(part, block, offset)), size);
  return STATUS_OK;
}

/* Page by page; bytes that are not written are ones, which change nothing. */
static enum status program(void *context, size_t block, size_t offset, const void *data, size_t size) {
  const struct rom_flash_part *part = context;
  static uint8_t page[ROM_FLASH_PAGE];
  if (!is_within(part, block, offset, size) || offset % UNIT != 0U || size % UNIT != 0U) {
    return STATUS_ARGUMENT;
  }
  const struct rom rom = rom_functions();
  const uint8_t *from = data;
  while (size > 0U) {
    const size_t in_page = offset % ROM_FLASH_PAGE;
    const size_t piece = size < ROM_FLASH_PAGE - in_page ? size : ROM_FLASH_PAGE - in_page;
    memset(page, 0xFF, sizeof page);
    memcpy(page + in_page, from, piece);
    program_page(&rom, place(part, block, offset - in_page), page);
    if (memcmp((const void *)(uintptr_t)(FLASH_BASE + place(part, block, offset)), from, piece) != 0) {
      return STATUS_STORAGE; /* a bit was to be set, or the chip is worn */
    }
    offset += piece;
    from += piece;
    size -= piece;
  }
  return STATUS_OK;
}

static enum status erase(void *context, size_t block) {
  const struct rom_flash_part *part = context;
  if (block >= part->blocks) {
    return STATUS_ARGUMENT;
  }
  const struct rom rom = rom_functions();
  erase_block(&rom, place(part, block, 0));
  return STATUS_OK;
}

struct flash rom_flash_part(const struct rom_flash_part *part) {
  return (struct flash){.context = (void *)(uintptr_t)part,
                        .read_size = 1,
                        .prog_size = UNIT,
                        .block_size = ROM_FLASH_BLOCK,
                        .block_count = part->blocks,
                        .read = read,
                        .program = program,
                        .erase = erase};
}

struct flash rom_flash(void) {
  static const struct rom_flash_part kept = {.at = ROM_FLASH_KEPT, .blocks = ROM_FLASH_BLOCKS};
  return rom_flash_part(&kept);
}

void rom_flash_unique_id(uint8_t id[ROM_FLASH_UNIQUE_ID]) {
  const struct rom rom = rom_functions();
  read_unique_id(&rom, id);
}
