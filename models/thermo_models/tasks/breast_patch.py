"""Lesion or no lesion under a breast patch, from simulated sensors (`thermo_models.patch`).

Train, validation and test have different sensors (EEPROM, response errors), different bodies and different lesions. A sample
to learn from is kept as three channels, healthy body, lesion and noise, which training combines anew for every batch, with the
noise of 1 to 64 averaged pictures. A sample to measure on is a picture as a device sees it, at each of four numbers of averages.
"""
