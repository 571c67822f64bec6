# MPS2 with the AN386 image, as QEMU emulates it: a Cortex-M4F with a wearable's memory.
mps2_an386_CPU := -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard
mps2_an386_TARGET := m4
mps2_an386_SOURCES := $(wildcard boards/mps2_an386/*.c) $(SIMULATED)
mps2_an386_STACK := 4096
mps2_an386_RAM := 65536
mps2_an386_FLASH := 98304
