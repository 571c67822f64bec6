/* The MLX90640's registers, each read so that a fault on the bus does not pass for what the sensor said. What is
   constant is read until two reads agree; of a page, words that jumped alone are read again. */
#ifndef MLX90640_CHIP_H
#define MLX90640_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "mlx90640_registers.h"
#include "plausibility.h"

struct mlx90640_chip {
  struct bus bus;
  uint32_t look_us; /* what reading the status takes */
  uint32_t read_us; /* what reading a page takes; 0 while it is not known */
  bool chess;       /* the pattern: pages are read whole */
};

/* Room that `mlx90640_chip_settle` needs. */
struct settle_scratch {
  uint16_t second[RAM_WORDS];
  struct plausibility_scratch plausibility;
};

enum settled { SETTLED, UNSETTLED, SETTLE_BUS_FAULT };

void mlx90640_chip_init(struct mlx90640_chip *chip, const struct board *board, struct counters *counters,
                        uint8_t address, bool chess);

/* Subpage and new-data flag of the status register, and when it was read; one that cannot be is read again and counted.
 */
enum status mlx90640_chip_look(struct mlx90640_chip *chip, uint8_t *subpage, bool *new_data, uint64_t *time_us);

enum status mlx90640_chip_clear_flag(const struct mlx90640_chip *chip);

/* Control register; one that is not as wanted is read again, since a flip is likelier than a reset. */
enum status mlx90640_chip_settings(const struct mlx90640_chip *chip, uint16_t wanted, uint16_t *found);

/* Write the control register and read it back; BUS where the chip does not keep it. */
enum status mlx90640_chip_set(const struct mlx90640_chip *chip, uint16_t wanted);

/* Read what a page of subpage `number` changes: in chess pattern all of RAM, otherwise its own rows and the auxiliary
   words; the other rows of `ram` are left as they are. */
enum status mlx90640_chip_read_page(const struct mlx90640_chip *chip, uint32_t number, uint16_t ram[RAM_WORDS]);

/* Read doubtful words of a page again and put right those that read otherwise; UNSETTLED where reads contradict each
   other, or too much is doubtful and there is no time to read the page again. */
enum settled mlx90640_chip_settle(const struct mlx90640_chip *chip, uint16_t ram[RAM_WORDS],
                                  const struct own_words *before, uint32_t number, uint16_t control, bool time_for_all,
                                  struct settle_scratch *scratch);

/* Read the EEPROM twice, and a third time where the two differ: what two reads agree on. Also shows how long the bus
   takes for a whole page, which has as many words; pages that are read in part are tried twice. `spare` holds the
   second read. DAMAGED where a word read differently three times. */
enum status mlx90640_chip_read_eeprom(struct mlx90640_chip *chip, uint16_t eeprom[MLX90640_EEPROM_WORDS],
                                      uint16_t spare[MLX90640_EEPROM_WORDS]);

/* Whether the chip's EEPROM has these words; what differs is read again, and what two reads agree on decides. */
enum status mlx90640_chip_holds(const struct mlx90640_chip *chip, const uint16_t eeprom[MLX90640_EEPROM_WORDS],
                                bool *same);

/* Whether the chip has the identity in this EEPROM. */
enum status mlx90640_chip_is_the_one_with(const struct mlx90640_chip *chip,
                                          const uint16_t eeprom[MLX90640_EEPROM_WORDS], bool *same);

#endif
