/* What mcumgr's image group asks and answers, whoever serves it: a firmware that takes no image, or slots. */
#ifndef IMAGE_REQUEST_H
#define IMAGE_REQUEST_H

#include <stdbool.h>

#include "cbor.h"
#include "smp.h"

enum image_command { IMAGE_STATE = 0, IMAGE_UPLOAD = 1, IMAGE_ERASE = 5, IMAGE_SLOT_INFO = 6 };

/* img_mgmt_err_code_t */
enum image_code {
  IMAGE_NO_IMAGE = 3,
  IMAGE_FLASH_WRITE_FAILED = 12,
  IMAGE_INVALID_SLOT = 14,
  IMAGE_INVALID_OFFSET = 20,
  IMAGE_INVALID_HEADER = 22,
  IMAGE_INVALID_HASH = 24,
  IMAGE_CURRENT_VERSION_IS_NEWER = 27,
  IMAGE_ALREADY_PENDING = 28,
  IMAGE_INVALID_CONTENT = 29,
  IMAGE_TOO_LARGE = 30,
};

/* Which image is to be tested or confirmed. */
struct image_change {
  bool confirm;
  bool given;            /* the image is named; it is the running one where not */
  struct cbor_item hash; /* its bytes, where given */
};

/* Read the body of a write of the state; false where it is refused. */
bool image_request_change(const struct smp_request *request, struct smp_answer *answer, struct image_change *change);

#endif
