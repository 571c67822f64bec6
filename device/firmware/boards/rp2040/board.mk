# Raspberry Pi Pico and XIAO RP2040. PINS=xiao takes that board's pins. SLOT=a or SLOT=b links for a loader's slots, behind
# an image's header; SLOT=none, which is the default, for a flash without a loader.
PINS ?= pico
SLOT ?= none
# The greatest serial line a board has of its own is USB; I2C and UART are where the boards' makers print them.
rp2040_PINS_pico := 4 5 0 1
rp2040_PINS_xiao := 6 7 0 1
rp2040_NAMES := PIN_SDA PIN_SCL PIN_TX PIN_RX
$(if $(rp2040_PINS_$(PINS)),,$(error There are no PINS '$(PINS)'; choose pico or xiao))
# Beginning and size of an image, bytes.
rp2040_SLOT_none := 0x10000000 0x000d0000
rp2040_SLOT_a := 0x10010100 0x0003ff00
rp2040_SLOT_b := 0x10050100 0x0003ff00
$(if $(rp2040_SLOT_$(SLOT)),,$(error There is no SLOT '$(SLOT)'; choose none, a or b))

rp2040_CPU := -mcpu=cortex-m0plus -mthumb -masm-syntax-unified
rp2040_TARGET := generic
rp2040_BOOT2 := boards/rp2040/boot2.c
rp2040_SOURCES := $(filter-out $(rp2040_BOOT2),$(wildcard boards/rp2040/*.c)) boards/simulated/retained_time.c
rp2040_PARTS := $(if $(filter none,$(SLOT)),$(BUILD)/rp2040/boot2/image.o)
rp2040_STACK := 8192
rp2040_RAM := 262144
rp2040_FLASH := 131072
rp2040_LINK = -Wl,--defsym=IMAGE=$(word 1,$(rp2040_SLOT_$(SLOT))),--defsym=IMAGE_SIZE=$(word 2,$(rp2040_SLOT_$(SLOT))) \
  $(foreach number,1 2 3 4,-Wl,--defsym=$(word $(number),$(rp2040_NAMES))=$(word $(number),$(rp2040_PINS_$(PINS))))

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
