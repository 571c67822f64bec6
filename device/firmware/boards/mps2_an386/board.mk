# MPS2 with the AN386 image, as QEMU emulates it: a Cortex-M4F with a wearable's memory.
mps2_an386_CPU := -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard
mps2_an386_TARGET := m4
mps2_an386_SOURCES := $(wildcard boards/mps2_an386/*.c) $(CORTEX_M) $(SIMULATED)
mps2_an386_STACK := 4096
mps2_an386_RAM := 65536
mps2_an386_FLASH := 98304
mps2_an386_LINK := -Wl,--defsym=IMAGE=0,--defsym=IMAGE_SIZE=0x400000,--defsym=RAM_SIZE=0xFFF8,--defsym=LOADER_RAM=0
# Behind an image's header in the slots that thermo-sim shares; the last block of a slot is its trailer's.
mps2_an386_slot = -Wl,--defsym=IMAGE=$(1),--defsym=IMAGE_SIZE=0x3EC00,--defsym=RAM_SIZE=0xFFF8,--defsym=LOADER_RAM=0x4000,--defsym=MODEL_ROOM_SPARE=2048
mps2_an386_SLOT_a := $(call mps2_an386_slot,0x21040200)
mps2_an386_SLOT_b := $(call mps2_an386_slot,0x21080200)
mps2_an386_SLOTS := boards/mps2_an386/boot/slots.c
mps2_an386_LOADER_LINK := -T boards/mps2_an386/link.ld -Wl,--defsym=STACK_SIZE=4096,--defsym=IMAGE=0,--defsym=IMAGE_SIZE=0x8000 \
  -Wl,--defsym=RAM_SIZE=0x4000,--defsym=LOADER_RAM=0
mps2_an386_SIMULATED := yes
