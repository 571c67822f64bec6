"""The agent: one process that serves one serial port, from reset to reset.

Two threads: the caller's runs the line (requests, answers, telemetry), the worker's owns the sensors (see `runtime`).
"""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from thermo_core.errors import ModelError, UsageError, WireError
from thermo_core.signals import Values
from thermo_core.version import software_version
from thermo_core.wearable.profile import Profile
from thermo_core.wire import management
from thermo_core.wire.management import StreamAnswer, StreamRequest
from thermo_core.wire.smp import ReturnCode
from thermo_core.wire.table import HELLO_SENSORS, GroupError, StreamOp
from thermo_device.alert_store import AlertStore
from thermo_device.bare import DEFAULT
from thermo_device.counters import Counters
from thermo_device.files import hold
from thermo_device.hardware import Hardware
from thermo_device.image_group import image_commands
from thermo_device.kept_findings import KeptFindings
from thermo_device.keys import trusts_development_key
from thermo_device.learned_store import LearnedStore
from thermo_device.line import Line
from thermo_device.machine import platform_name
from thermo_device.memory import Memory
from thermo_device.person_store import PersonStore
from thermo_device.port import Port
from thermo_device.runtime import Runtime
from thermo_device.sightings import Sightings
from thermo_device.slot_state import Change, Installed
from thermo_device.slots import Slots
from thermo_device.smp_server import Application, RequestRefused, SmpServer, group_refusal, os_commands
from thermo_device.telemetry import FrameQueue, Lease, Outbox
from thermo_device.wearable_group import wearable_commands

log = logging.getLogger(__name__)

LONGEST_LEASE_S = 10.0
SHORTEST_LEASE_S = 0.1
IDLE_S = 60.0
DRAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What an agent is told at its start.

    Attributes:
        state: directory of slots, corrections and what is known of the wearer.
        trusted: public keys whose images may run.
        kernels: "reference" is bit-exact, "fast" is not.
        lossless: let telemetry wait for the line instead of dropping it; for simulated time.
        longest_lease_s: a host may not ask for more.
        bare: the wearable while no bundle runs; it has no models.
    """

    state: Path
    trusted: tuple[Ed25519PublicKey, ...] = ()
    kernels: str = "reference"
    lossless: bool = False
    longest_lease_s: float = LONGEST_LEASE_S
    bare: Profile = DEFAULT


class Agent:
    """Serves a port until it is stopped.

    Args:
        port: opened here, and again whenever it vanishes.
        hardware: bus, clock, and who this is.
        settings: see there.

    Attributes:
        counters: everything counted since the start, over resets.

    Raises:
        UsageError: another agent uses the state directory.
        StorageError: the state directory cannot be used.
    """

    def __init__(self, port: Port, hardware: Hardware, settings: AgentSettings) -> None:
        self.counters = Counters()
        self._hardware = hardware
        self._settings = settings
        self._lock = hold(settings.state)
        self._slots = Slots(settings.state, settings.trusted)
        self._memory = Memory(
            settings.state,
            Sightings(settings.state),
            PersonStore(settings.state),
            AlertStore(settings.state),
            LearnedStore(settings.state),
            KeptFindings(),
        )
        self._lease = Lease(settings.longest_lease_s)
        self._queue = FrameQueue()
        self._line = Line(port, self._queue, self.counters.add)
        self._outbox = Outbox(self._queue, self._lease, self._line.wake, self._on_unsendable)
        self._stopping = False
        self._reset_wanted = False
        self._runtime: Runtime
        self._server = SmpServer(
            {
                **os_commands(self._application, self._want_reset),
                **image_commands(self._slots),
                **wearable_commands(self, lambda: self._runtime.requests),
            },
            hardware.clock.now_us,
            self._on_refusal,
        )

    @property
    def profile(self) -> Profile:
        """The wearable as the active image says, or the bare one."""
        running = self._slots.running
        return self._settings.bare if running is None else running.bundle.profile

    def run(self) -> None:
        """Serve until `stop`.

        Raises:
            UsageError: the port's name cannot be used.
            BusTimeoutError: a bus transaction hangs, so that only a new process helps.
        """
        try:
            self._boot()
            try:
                while not self._stopping:
                    self._serve()
                self._line.drain(DRAIN_S)
            finally:
                self._lease.end()
                self._runtime.stop()
        finally:
            self._line.close()
            os.close(self._lock)

    def stop(self) -> None:
        """End `run`; any thread or signal handler may call it."""
        # No Event: a signal that comes while another's handler sets it would wait for its lock for ever.
        self._stopping = True
        self._line.wake()

    def wake(self) -> None:
        """Have the line looked at now; any thread may call it."""
        self._line.wake()

    @property
    def listened_to(self) -> bool:
        """Whether a host streams; any thread may ask."""
        return self._lease.left_s > 0

    def give(self, sensor: str, values: Values) -> bool:
        """Take a sample of a sensor of kind "external" from this computer instead of a host.

        Its clock's sleep may call it, in the thread of the sensors.

        Args:
            sensor: its name in the profile that runs.
            values: (n,) float32; NaN where there is none.

        Returns:
            Whether it was taken: no host listens, or feeds that sensor itself, or the profile that runs has none that takes it.
        """
        return self._runtime.requests.give(sensor, values)

    # What group 65 needs.

    def hello(self, first: int = 0) -> management.Hello:
        """Who it is and what it has: sensors from number `first` on, as many as an answer holds."""
        runtime = self._runtime
        sensors = runtime.requests.sensors()
        running = self._slots.running if runtime.bundled else None
        return management.Hello(
            name=self._hardware.name,
            serial=self._hardware.serial,
            software=software_version(),
            platform=platform_name(),
            profile=runtime.profile.name,
            profile_sha256=hashlib.sha256(runtime.requests.profile_bytes()).digest(),
            bundle="" if running is None else str(running.image.version),
            bundle_sha256=b"" if running is None else running.image.sha256,
            time_us=self._hardware.clock.now_us(),
            sensors=sensors[first : first + HELLO_SENSORS],
            sensor_count=len(sensors),
            simulated=self._hardware.simulated,
            development_key=trusts_development_key(self._settings.trusted),
            waived=() if running is None else running.bundle.waived,
            lease_max_ms=round(self._settings.longest_lease_s * 1000),
        )

    def stream(self, request: StreamRequest) -> StreamAnswer:
        """Start, renew or stop telemetry."""
        if request.op is StreamOp.STOP:
            self._lease.end()
            self._queue.clear()
            self._runtime.hush()
            return StreamAnswer(lease_ms=0, time_us=self._hardware.clock.now_us())
        if request.lease_ms < SHORTEST_LEASE_S * 1000:
            raise RequestRefused(
                f"A lease of {request.lease_ms} ms is too short; ask for {SHORTEST_LEASE_S * 1000:g} or more.",
                ReturnCode.INVALID,
            )
        if request.op is StreamOp.RENEW and not self._lease.left_s:
            raise group_refusal(GroupError.NO_LEASE, "No stream runs that could be renewed; start one.")
        granted_s = self._lease.grant(request.lease_ms / 1000)
        if request.op is StreamOp.START:
            self._queue.clear()
            self._runtime.listen(request.key_interval)
        return StreamAnswer(lease_ms=round(granted_s * 1000), time_us=self._hardware.clock.now_us())

    def self_test(self, part: int | None = None) -> management.SelfTest:
        """What it finds out about itself. The lease stands still meanwhile: nobody here could hear it renewed."""
        left_s = self._lease.left_s
        try:
            return self._runtime.requests.self_test(part)
        finally:
            if left_s:
                self._lease.grant(left_s)

    def counts(self) -> management.Counters:
        """What it has counted."""
        return management.Counters(counters={**self.counters.snapshot(), "telemetry_dropped": self._queue.dropped})

    def refusal(self) -> management.Refusal:
        """Why the last refused request was refused."""
        return self._server.refusal

    # From reset to reset.

    def _boot(self) -> None:
        """Start what the slots say is active; an image whose model does not run is taken back at once."""
        result = self._slots.boot()
        for sentence in result.notes:
            self._notice("image_changed", sentence)
        if result.change in (Change.TEST, Change.PERMANENT) and result.running is not None:
            trial = " on trial; confirm it or the next reset takes it back" if result.change is Change.TEST else ""
            self._notice("image_changed", f"Image {result.running.image.version} is active{trial}.")
        if result.running is not None:
            for sentence in result.running.bundle.waived:
                self._notice("waived", f"The bundle was signed all the same: {sentence}")
        try:
            self._runtime = self._make_runtime(result.running)
        except (ModelError, UsageError) as error:  # the second: its profile asks for what the sensor does not have
            self.counters.add("models_rejected")
            self._notice("model_rejected", str(error))
            if self._slots.fall_back():
                self._boot()
                return
            self._runtime = self._make_runtime(None)
        self._runtime.start()

    def _serve(self) -> None:
        """Hear the line once and do what it asks."""
        for message in self._line.poll(self._pause_s()):
            answer = self._server.answer(message)
            if answer is not None:
                self._line.send(answer)
        if self._reset_wanted:
            self._line.drain(DRAIN_S)
            self._reset()
        self._keep_lease()

    def _reset(self) -> None:
        """What a power cycle does to a wearable, without losing the port."""
        self._reset_wanted = False
        self.counters.add("resets")
        self._lease.end()
        self._queue.clear()
        self._runtime.stop()
        self._boot()

    def _make_runtime(self, installed: Installed | None) -> Runtime:
        return Runtime(
            self._hardware,
            self._memory,
            self._settings.bare,
            installed,
            self.counters,
            self._outbox,
            self._lease,
            kernels=self._settings.kernels,
            inline=self._settings.lossless,
        )

    def _keep_lease(self) -> None:
        """End a lease that ran out, or whose host lost the port."""
        if self._lease.held and not (self._lease.left_s and self._line.is_open):
            self.counters.add("leases_expired")
            self._lease.end()
            self._runtime.lose()
            self._line.hush()

    def _pause_s(self) -> float:
        return self._lease.left_s if self._lease.held else IDLE_S

    def _want_reset(self) -> None:
        self._reset_wanted = True

    def _application(self) -> Application:
        return Application(self._hardware.name, software_version(), platform_name(), self._runtime.profile.name)

    def _on_refusal(self, reason: str) -> None:
        self.counters.add("requests_refused")
        self._notice("request_refused", reason)

    def _on_unsendable(self, error: WireError) -> None:
        self.counters.add("records_unsendable")
        log.error("a record was left out: %s", error)

    def _notice(self, name: str, text: str) -> None:
        self._outbox.notice(name, text, self._hardware.clock.now_us())
