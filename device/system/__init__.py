"""The machine around the app: network, storage, power, clock, watchdog."""
