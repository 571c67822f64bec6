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
