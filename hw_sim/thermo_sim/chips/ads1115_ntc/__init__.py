"""An ADS1115 with NTC thermistors: the ADC on the bus, and the physics at its inputs."""
