/* A pseudo-terminal has no modem lines and no parity; a program that sets them anyway is told here that it went well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

enum { FILES = 256 };
static struct termios wanted[FILES];
static unsigned char known[FILES];

int tcsetattr(int file, int when, const struct termios *settings) {
  int (*const next)(int, int, const struct termios *) =
      (int (*)(int, int, const struct termios *))dlsym(RTLD_NEXT, "tcsetattr");
  struct termios possible = *settings;
  possible.c_cflag &= ~(tcflag_t)(PARENB | PARODD);
  const int done = next(file, when, &possible);
  if (done == 0 && file >= 0 && file < FILES) {
    wanted[file] = *settings;
    known[file] = 1;
  }
  return done;
}

int tcgetattr(int file, struct termios *settings) {
  int (*const next)(int, struct termios *) = (int (*)(int, struct termios *))dlsym(RTLD_NEXT, "tcgetattr");
  const int done = next(file, settings);
  if (done == 0 && file >= 0 && file < FILES && known[file]) {
    *settings = wanted[file];
  }
  return done;
}

int ioctl(int file, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (request == TIOCMBIS || request == TIOCMBIC || request == TIOCMSET) {
    return 0;
  }
  if (request == TIOCMGET) {
    memset(argument, 0, sizeof(int));
    return 0;
  }
  int (*const next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  return next(file, request, argument);
}
