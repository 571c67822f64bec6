# Raspberry Pi Pico and XIAO RP2040. PINS=xiao takes that board's pins. SLOT=a or SLOT=b links for a loader's slots, behind
# an image's header; SLOT=none, which is the default, for a flash without a loader. `make update` links for both slots.
PINS ?= pico
SLOT ?= none
# The greatest serial line a board has of its own is USB; I2C and UART are where the boards' makers print them.
rp2040_PINS_pico := 4 5 0 1
rp2040_PINS_xiao := 6 7 0 1
rp2040_NAMES := PIN_SDA PIN_SCL PIN_TX PIN_RX
$(if $(rp2040_PINS_$(PINS)),,$(error There are no PINS '$(PINS)'; choose pico or xiao))
$(if $(filter none a b,$(SLOT)),,$(error There is no SLOT '$(SLOT)'; choose none, a or b))
rp2040_CPU := -mcpu=cortex-m0plus -mthumb -masm-syntax-unified
rp2040_TARGET := m0plus
rp2040_BOOT2 := boards/rp2040/boot2.c
rp2040_SOURCES := $(filter-out $(rp2040_BOOT2),$(wildcard boards/rp2040/*.c)) $(CORTEX_M) boards/simulated/retained_time.c
rp2040_BOOT2_IMAGE := $(BUILD)/rp2040/boot2/image.o
rp2040_PARTS := $(if $(filter none,$(SLOT)),$(rp2040_BOOT2_IMAGE))
rp2040_STACK := 8192
rp2040_RAM := 262144
rp2040_FLASH := 131072
# Address and size of code, address and size of RAM; pins.
rp2040_at = -Wl,--defsym=IMAGE=$(1),--defsym=IMAGE_SIZE=$(2),--defsym=RAM_AT=$(3),--defsym=RAM_SIZE=$(4) \
  $(foreach number,1 2 3 4,-Wl,--defsym=$(word $(number),$(rp2040_NAMES))=$(word $(number),$(rp2040_PINS_$(PINS))))
rp2040_SLOT_none = $(call rp2040_at,0x10000000,0x150000,0x20000000,0x40000)
rp2040_LINK = $(rp2040_SLOT_$(SLOT))
# Behind an image's header in a slot, whose last block is its trailer's. A loader has the end of RAM, so that it leaves what
# a reset of the firmware leaves.
rp2040_slot = $(call rp2040_at,$(1),0x7ec00,0x20000000,0x3a000) -Wl,--defsym=MODEL_ROOM_SPARE=0x10000
rp2040_SLOT_a = $(call rp2040_slot,0x10010100)
rp2040_SLOT_b = $(call rp2040_slot,0x10090100)
rp2040_SLOTS := boards/rp2040/boot/slots.c
rp2040_LOADER_PARTS := $(rp2040_BOOT2_IMAGE)
rp2040_LOADER_LINK = -T boards/rp2040/link.ld -Wl,--defsym=STACK_SIZE=4096 $(call rp2040_at,0x10000000,0x8000,0x2003a000,0x6000)

# The second stage of the boot: linked by itself, with the CRC that the boot ROM looks for.
$(BUILD)/rp2040/boot2/image.o: $(rp2040_BOOT2) boards/rp2040/xip.h boards/rp2040/registers.h boards/rp2040/boot2.ld boards/rp2040/boot2_image.py
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(COMMON) $(rp2040_CPU) -Os -nostdlib -T boards/rp2040/boot2.ld -o $(@:.o=.elf) $<
	$(Q)$(CROSS)objcopy -O binary $(@:.o=.elf) $(@:.o=.bin)
	$(Q)$(PYTHON) boards/rp2040/boot2_image.py $(@:.o=.bin) $(@:.o=.s)
	$(Q)$(CROSS)gcc $(rp2040_CPU) -c -o $@ $(@:.o=.s)

# What is linked for another slot or other pins is another file.
$(BUILD)/rp2040/wearable.elf: $(BUILD)/rp2040/linked.txt
$(BUILD)/rp2040/linked.txt: always
	@mkdir -p $(@D)
	@echo "$(SLOT) $(PINS)" > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

rp2040: $(BUILD)/rp2040/wearable.bin
$(BUILD)/rp2040/wearable.bin: $(BUILD)/rp2040/wearable.elf
	$(Q)$(CROSS)objcopy -O binary $< $@
