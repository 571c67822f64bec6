/* I2C transactions through the mailbox that a simulated board shares with thermo-sim. */
#include "mailbox.h"

#include <stdbool.h>

/* An I2C adapter gives up after a second; whoever serves the mailbox may take a little longer. */
#define LONGEST_TRANSACTION_US 1200000U
/* A ring is a hint, and may be lost where the board is reset: look again after this. */
#define LOOK_AGAIN_US 10000U

static enum status ask(const struct mailbox_port *port, uint32_t kind) {
  volatile struct mailbox *mailbox = port->mailbox;
  const uint64_t deadline_us = port->now_us(port->context) + LONGEST_TRANSACTION_US;
  const uint32_t number = mailbox->request + 1U;
  mailbox->kind = kind;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  mailbox->request = number;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  port->ring(port->context);
  while (mailbox->response != number) {
    const uint64_t now_us = port->now_us(port->context);
    if (now_us >= deadline_us) {
      return STATUS_STUCK;
    }
    const uint64_t look_us = now_us + LOOK_AGAIN_US;
    port->wait_until_us(port->context, look_us < deadline_us ? look_us : deadline_us);
  }
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  const uint32_t status = mailbox->status;
  return status <= (uint32_t)STATUS_BUS ? (enum status)status : STATUS_BUS;
}

static bool served(const struct mailbox_port *port) {
  return port->mailbox->magic == SHARED_MAGIC && port->mailbox->version == SHARED_VERSION;
}

enum status mailbox_transfer(const struct mailbox_port *port, uint8_t address, const uint8_t *write, size_t write_size,
                             uint8_t *read, size_t read_size) {
  volatile struct mailbox *mailbox = port->mailbox;
  if (write_size > MAILBOX_MAX_WRITE || read_size > MAILBOX_MAX_READ) {
    return STATUS_ARGUMENT;
  }
  if (!served(port)) {
    return STATUS_BUS;
  }
  mailbox->address = address;
  mailbox->write_size = (uint32_t)write_size;
  mailbox->read_size = (uint32_t)read_size;
  for (size_t i = 0; i < write_size; i++) {
    mailbox->write_data[i] = write[i];
  }
  const enum status status = ask(port, MAILBOX_TRANSFER);
  if (status == STATUS_OK) {
    for (size_t i = 0; i < read_size; i++) {
      read[i] = mailbox->read_data[i];
    }
  }
  return status;
}

void mailbox_recover(const struct mailbox_port *port) {
  if (served(port)) {
    (void)ask(port, MAILBOX_RECOVER);
  }
}
