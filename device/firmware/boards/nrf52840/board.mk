# nRF52840 on a XIAO nRF52840 Sense or an Adafruit Feather: Cortex-M4F at 64 MHz. PINS=feather takes the Feather's pins.
# ORIGIN and ROOM place the firmware in flash, as where a bootloader starts it from a slot: its vectors are its first bytes.
nrf52840_CPU = -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -DPINS_$(nrf52840_PINS)
nrf52840_TARGET := m4
nrf52840_SOURCES := $(wildcard boards/nrf52840/*.c) $(CORTEX_M)
nrf52840_STACK := 4096
nrf52840_RAM := 73728
nrf52840_FLASH := 131072
nrf52840_PINS ?= xiao
nrf52840_ORIGIN ?= 0x0
nrf52840_ROOM ?= 0x90000
# Address and size of code, address and size of RAM.
nrf52840_at = -Wl,--defsym=IMAGE=$(1),--defsym=IMAGE_SIZE=$(2),--defsym=RAM_AT=$(3),--defsym=RAM_SIZE=$(4)
nrf52840_LINK = $(call nrf52840_at,$(nrf52840_ORIGIN),$(nrf52840_ROOM),0x20000000,0x40000)
# Behind an image's header in a slot, whose last block is its trailer's. A loader has the end of RAM, so that it leaves what
# a reset of the firmware leaves.
nrf52840_slot = $(call nrf52840_at,$(1),0x3ec00,0x20000000,0x3a000) -Wl,--defsym=MODEL_ROOM_SPARE=0x10000
nrf52840_SLOT_a = $(call nrf52840_slot,0x10200)
nrf52840_SLOT_b = $(call nrf52840_slot,0x50200)
nrf52840_SLOTS := boards/nrf52840/boot/slots.c
nrf52840_LOADER_LINK = -T boards/nrf52840/link.ld -Wl,--defsym=STACK_SIZE=4096 $(call nrf52840_at,0,0x8000,0x2003a000,0x6000)
