"""What the hub knows of a wearer as FHIR R4 resources. Informs only. Not a medical device."""
