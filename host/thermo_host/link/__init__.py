"""One session with a wearable: port, requests, clock, lease, and what has to be fetched before anybody can listen."""
