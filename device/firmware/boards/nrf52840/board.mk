# nRF52840 on a XIAO nRF52840 Sense or an Adafruit Feather: Cortex-M4F at 64 MHz. PINS=feather takes the Feather's pins.
# ORIGIN and ROOM place the firmware in flash, as where a bootloader starts it from a slot: its vectors are its first bytes.
nrf52840_CPU = -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -DPINS_$(nrf52840_PINS)
nrf52840_TARGET := m4
nrf52840_SOURCES := $(wildcard boards/nrf52840/*.c)
nrf52840_STACK := 4096
nrf52840_RAM := 73728
nrf52840_FLASH := 98304
nrf52840_PINS ?= xiao
nrf52840_ORIGIN ?= 0x0
nrf52840_ROOM ?= 0x90000
nrf52840_LINK = -Wl,--defsym=flash_origin=$(nrf52840_ORIGIN),--defsym=flash_room=$(nrf52840_ROOM)
# Behind an image's header in a slot, whose last block is its trailer's. A loader has the end of RAM, so that it leaves what
# a reset of the firmware leaves.
nrf52840_slot = -Wl,--defsym=flash_origin=$(1),--defsym=flash_room=0x3ec00,--defsym=ram_room=0x3a000,--defsym=MODEL_ROOM_SPARE=0x10000
nrf52840_SLOT_a = $(call nrf52840_slot,0x10200)
nrf52840_SLOT_b = $(call nrf52840_slot,0x50200)
nrf52840_SLOTS := boards/nrf52840/boot/slots.c
nrf52840_LOADER := boards/nrf52840/boot/main.c $(addprefix boards/nrf52840/,clock.c nvmc.c startup.c uart.c watchdog.c)
nrf52840_LOADER_LINK := -T boards/nrf52840/link.ld \
  -Wl,--defsym=STACK_SIZE=4096,--defsym=flash_origin=0,--defsym=flash_room=0x8000,--defsym=ram_origin=0x2003a000,--defsym=ram_room=0x6000
