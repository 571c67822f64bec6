# The nRF52840's firmware for labwired, whose processor lacks comparisons, square roots and sums of products of the FPU,
# and SSAT: so it gets instructions that a Cortex-M23 has too. Floats have the same bits. Its sensors are simulated.
nrf52840_labwired_CPU := -mcpu=cortex-m23 -mthumb -masm-syntax-unified -DPINS_xiao -DSIMULATED_SENSORS -Iboards/nrf52840
nrf52840_labwired_TARGET := m0plus
nrf52840_labwired_SOURCES := $(wildcard boards/nrf52840/*.c) $(CORTEX_M)
nrf52840_labwired_STACK := 4096
nrf52840_labwired_RAM := 73728
nrf52840_labwired_FLASH := 131072
nrf52840_labwired_LINK = $(call nrf52840_at,0x0,0x90000,0x20000000,0x40000)
