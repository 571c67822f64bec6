"""What runs from one reset to the next: a pipeline in its worker, told when a host listens."""

import hashlib
from collections.abc import Sequence

from thermo_core.errors import ThermoError
from thermo_core.wearable.profile import Profile
from thermo_core.wire.keeping import KEPT_S
from thermo_core.wire.records import AlertRecord, Record
from thermo_device.bundled import bundled_of
from thermo_device.corrections import Corrections
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.host_requests import HostRequests
from thermo_device.memory import Memory
from thermo_device.pipeline import Pipeline
from thermo_device.slot_state import Installed
from thermo_device.telemetry import Lease, Outbox
from thermo_device.worker import Worker

START_S = 1.5
KEYS_AFTER_DROP_US = 1_000_000
"""A dropped key frame costs its successors, so new ones follow a drop, but not so often that they fill the line."""


class Runtime:
    """A pipeline at work.

    Args:
        hardware: bus, clock, and who this is.
        memory: what is known from before.
        bare: the wearable while no image runs.
        installed: the running image; None runs without models.
        counters: of the agent.
        outbox: takes records.
        lease: sensors rest while there is none, unless a host fell silent for which findings are kept.
        kernels: "reference" or "fast".
        inline: let sensors wait for inference and for the line, so that nothing is dropped; for simulated time.

    Attributes:
        profile: of the running image, or the bare one.
        bundled: whether an image runs.
        requests: what a host may ask.

    Raises:
        ModelError: a network cannot be loaded, does not fit its model or fails its rehearsal.
    """

    def __init__(
        self,
        hardware: Hardware,
        memory: Memory,
        bare: Profile,
        installed: Installed | None,
        counters: Counters,
        outbox: Outbox,
        lease: Lease,
        kernels: str = "reference",
        inline: bool = False,
    ) -> None:
        self.profile = bare if installed is None else installed.bundle.profile
        self.bundled = installed is not None
        self._hardware = hardware
        self._memory = memory
        self._outbox = outbox
        self._lease = lease
        self._patient = inline
        self._keys_due_us = 0
        self._away_until_us = 0
        self._told: tuple[str, ...] = ()
        corrections = Corrections(memory.directory, self.profile)
        if memory.person.problem:
            self._notice("storage", memory.person.problem)
        self._pipeline = Pipeline(
            hardware,
            self.profile,
            None if installed is None else bundled_of(installed),
            corrections.load(lambda problem: self._notice("storage", problem)),
            memory.person.read(),
            kernels=kernels,
            counters=counters,
            inline=inline,
            sightings=memory.sightings,
        )
        self._worker = Worker(
            self._pipeline,
            self._publish,
            lambda: lease.left_s > 0 or hardware.clock.now_us() < self._away_until_us,
            self._on_failure,
            self._keep,
        )
        self.requests = HostRequests(
            self.profile, self._pipeline, self._worker, corrections, memory, outbox, lease, hardware.clock
        )
        digest = hashlib.sha256(self.requests.profile_bytes()).hexdigest()
        memory.kept.open(self._pipeline.plan, digest, 0 if installed is None else bundled_of(installed).number)
        self._pipeline.stand(memory.alerts.open(digest, len(self.profile.alerts), hardware.clock.now_us()))
        if (learned := memory.learned.open(hardware.clock.now_us())) and self._pipeline.learned():
            self._pipeline.learn(learned)

    def start(self) -> None:
        """Start the worker; sensors that answer are known when this returns."""
        self._worker.start(START_S)

    def stop(self) -> None:
        """Stop the worker and let go of the networks.

        Raises:
            BusTimeoutError: the worker hangs in a bus transaction.
        """
        self._worker.stop()
        self._memory.alerts.keep(self._hardware.clock.now_us(), at_once=True)
        self._memory.learned.keep(self._pipeline.learned(), self._hardware.clock.now_us())
        self._pipeline.close()

    def listen(self, key_interval: int | None) -> None:
        """A host starts to listen: begin with key frames and where alerts stand."""
        self.requests.forget_fed()
        self._away_until_us = 0
        self._memory.kept.begin()
        self._pipeline.listen(key_interval)
        self._worker.wake()

    def hush(self) -> None:
        """A host has ended listening, and with it the signals it asked for and what is kept for it."""
        self._away_until_us = 0
        self._memory.kept.forget()
        self._pipeline.send_signals(())

    def lose(self) -> None:
        """A host fell silent: where findings are kept for its return, sensors go on working for an hour."""
        if self._memory.kept.keeps:
            self._away_until_us = self._hardware.clock.now_us() + KEPT_S * 1_000_000
            self._worker.wake()
        self._pipeline.send_signals(())

    def _publish(self, records: Sequence[Record]) -> None:
        self._memory.kept.take(records)  # before they go: a host that starts meanwhile finds them in one place at least
        self._memory.alerts.take(record.change for record in records if isinstance(record, AlertRecord))
        self._keep()
        for sentence in self._pipeline.dropped():
            self._notice("baseline", sentence)
        problems = self._memory.sightings.problem, self._memory.alerts.problem, self._memory.learned.problem
        for problem in problems:
            if problem and problem not in self._told:
                self._notice("storage", problem)
        self._told = problems
        wanted = [record for record in records if self._pipeline.is_wanted(record)]
        dropped = self._outbox.publish(wanted, lambda: self._patient and not self._worker.wanted_elsewhere)
        now_us = self._hardware.clock.now_us()
        if dropped and now_us >= self._keys_due_us:
            self._keys_due_us = now_us + KEYS_AFTER_DROP_US
            self._pipeline.restart_keys()

    def _keep(self) -> None:
        now_us = self._hardware.clock.now_us()
        self._memory.alerts.keep(now_us)
        if self._memory.learned.is_due(now_us):
            self._memory.learned.keep(self._pipeline.learned(), now_us)

    def _on_failure(self, error: ThermoError) -> None:
        self._notice("pipeline_failed", str(error))

    def _notice(self, name: str, text: str) -> None:
        self._outbox.notice(name, text, self._hardware.clock.now_us())
