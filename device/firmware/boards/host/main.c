/* The core as a Linux program, for tests, sanitizers and fuzzers. thermo-sim starts it and gives it two connected
   sockets (serial line and doorbell) and the file of shared memory.

   Usage: wearable SERIAL_FD DOORBELL_FD MEMORY_FILE */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "application.h"
#include "line.h"
#include "mailbox.h"
#include "nor_flash.h"
#include "retained_time.h"

#define BITES_AFTER_S 4
#define CAUSE "THERMO_RESET_CAUSE"

struct machine {
  struct shared_memory *shared;
  struct line line;
  int doorbell;
  uint64_t started_us, base_us;
  struct mailbox_port port;
  struct nor_flash nor;
};

/* Of the program itself, for a restart out of a signal. */
static char **arguments;

static uint64_t monotonic_us(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

static uint64_t now_us(void *context) {
  struct machine *machine = context;
  const uint64_t time_us = machine->base_us + monotonic_us() - machine->started_us;
  retained_time_keep(&machine->shared->time, time_us);
  return time_us;
}

static int left_ms(struct machine *machine, uint64_t time_us) {
  const uint64_t from_us = now_us(machine);
  const uint64_t left_us = time_us > from_us ? time_us - from_us : 0;
  return left_us < 1000000U ? (int)((left_us + 999U) / 1000U) : 1000;
}

static void wait_until_us(void *context, uint64_t time_us) {
  struct machine *machine = context;
  for (;;) {
    const int pause_ms = left_ms(machine, time_us);
    if (line_wait(&machine->line, pause_ms) || pause_ms == 0) {
      return;
    }
  }
}

static void doorbell_ring(void *context) {
  const struct machine *machine = context;
  (void)!write(machine->doorbell, "", 1);
}

static void doorbell_wait(void *context, uint64_t time_us) {
  struct machine *machine = context;
  struct pollfd ringing = {.fd = machine->doorbell, .events = POLLIN};
  if (poll(&ringing, 1, left_ms(machine, time_us)) > 0) {
    char rings[16];
    if (read(machine->doorbell, rings, sizeof rings) == 0) {
      exit(EXIT_SUCCESS); /* thermo-sim is gone */
    }
  }
}

static enum status i2c_transfer(void *context, uint8_t address, const uint8_t *write_data, size_t write_size,
                                uint8_t *read_data, size_t read_size) {
  const struct machine *machine = context;
  return mailbox_transfer(&machine->port, address, write_data, write_size, read_data, read_size);
}

static void i2c_recover(void *context) {
  const struct machine *machine = context;
  mailbox_recover(&machine->port);
}

static size_t serial_read(void *context, uint8_t *data, size_t size) {
  struct machine *machine = context;
  return line_read(&machine->line, data, size);
}

static bool serial_write(void *context, const uint8_t *data, size_t size) {
  struct machine *machine = context;
  return line_write(&machine->line, data, size);
}

static size_t serial_room(void *context) {
  const struct machine *machine = context;
  return line_room(&machine->line);
}

static uint32_t serial_overruns(void *context) {
  (void)context;
  return 0; /* the socket holds what nobody has read */
}

static void serial_discard(void *context) {
  struct machine *machine = context;
  machine->line.tx_size = 0;
}

static void watchdog_feed(void *context) {
  (void)context;
  const struct itimerval bite = {.it_value = {.tv_sec = BITES_AFTER_S}};
  (void)setitimer(ITIMER_REAL, &bite, NULL);
}

static _Noreturn void restart(void) {
  (void)execv("/proc/self/exe", arguments);
  _exit(EXIT_FAILURE);
}

static void reset(void *context) {
  (void)context;
  (void)setenv(CAUSE, "software", 1);
  restart();
}

/* `environ` was made ready for this before: a signal handler may not change it. */
static void on_alarm(int signal_number) {
  (void)signal_number;
  restart();
}

static size_t stack_used(void *context) {
  (void)context;
  return 0;
}

static enum reset_cause find_cause(void) {
  const char *cause = getenv(CAUSE);
  enum reset_cause found = RESET_POWER;
  if (cause != NULL) {
    found = strcmp(cause, "software") == 0 ? RESET_SOFTWARE : RESET_WATCHDOG;
  }
  (void)setenv(CAUSE, "watchdog", 1);
  return found;
}

static void start_watchdog(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  sigset_t alarms;
  (void)sigemptyset(&alarms);
  (void)sigaddset(&alarms, SIGALRM);
  (void)sigaction(SIGALRM, &action, NULL);
  (void)sigprocmask(SIG_UNBLOCK, &alarms, NULL); /* blocked where a bite brought us here */
  watchdog_feed(NULL);
}

static int descriptor(const char *text) {
  char *end = NULL;
  const long number = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || number < 0 || number > 65535 || fcntl((int)number, F_GETFD) < 0) {
    fprintf(stderr, "wearable: %s is no open file descriptor; start it with thermo-sim board host.\n", text);
    exit(EXIT_FAILURE);
  }
  return (int)number;
}

static struct shared_memory *map(const char *path) {
  struct stat facts;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0 || fstat(file, &facts) != 0 || facts.st_size < (off_t)sizeof(struct shared_memory)) {
    fprintf(stderr, "wearable: %s cannot be used (%s); start it with thermo-sim board host.\n", path,
            file < 0 ? strerror(errno) : "too short");
    exit(EXIT_FAILURE);
  }
  void *memory = mmap(NULL, sizeof(struct shared_memory), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) {
    fprintf(stderr, "wearable: %s cannot be mapped (%s); make it a regular file.\n", path, strerror(errno));
    exit(EXIT_FAILURE);
  }
  (void)close(file);
  return memory;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: wearable SERIAL_FD DOORBELL_FD MEMORY_FILE; start it with thermo-sim board host.\n");
    return EXIT_FAILURE;
  }
  arguments = words;
  const pid_t parent = getppid();
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    return EXIT_FAILURE;
  }
  static struct machine machine;
  machine.line.connection = descriptor(words[1]);
  machine.doorbell = descriptor(words[2]);
  (void)fcntl(machine.doorbell, F_SETFL, O_NONBLOCK);
  struct shared_memory *shared = machine.shared = map(words[3]);
  machine.port = (struct mailbox_port){.mailbox = &shared->mailbox,
                                       .context = &machine,
                                       .now_us = now_us,
                                       .ring = doorbell_ring,
                                       .wait_until_us = doorbell_wait};
  machine.nor = (struct nor_flash){.bytes = shared->flash,
                                   .read_size = 1,
                                   .prog_size = FLASH_UNIT,
                                   .block_size = FLASH_BLOCK_SIZE,
                                   .block_count = FLASH_BLOCKS};
  machine.started_us = monotonic_us();
  machine.base_us = retained_time_read(&shared->time);

  static char serial[sizeof shared->mailbox.serial];
  memcpy(serial, shared->mailbox.serial, sizeof serial - 1U);
  static struct board board = {
      .context = &machine,
      .name = "thermo-edge host",
      .platform = "Linux program",
      .processor = "unknown",
      .serial = serial,
      .simulated = true,
      .now_us = now_us,
      .wait_until_us = wait_until_us,
      .i2c_transfer = i2c_transfer,
      .i2c_recover = i2c_recover,
      .serial_read = serial_read,
      .serial_write = serial_write,
      .serial_room = serial_room,
      .serial_overruns = serial_overruns,
      .serial_discard = serial_discard,
      .watchdog_feed = watchdog_feed,
      .reset = reset,
      .stack_used = stack_used,
  };
  static struct utsname system;
  if (uname(&system) == 0) {
    board.processor = system.machine;
  }
  board.flash = nor_flash(&machine.nor);
  board.reset_cause = find_cause();
  shared->report.starts++;
  start_watchdog();
  application(&board);
}
