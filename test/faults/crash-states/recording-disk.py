# A disk for nbdkit that keeps its bytes in one file, and logs every write and every flush in another, in order:
# "W", offset u64, length u32 (big-endian), bytes; or "F". A record is in the log before its request is answered.
#
# nbdkit python recording-disk.py image=FILE log=FILE

import os
import struct

import nbdkit

API_VERSION = 2

image_path = None
log_path = None
image = None
log = None


def config(key, value):
    global image_path, log_path
    if key == "image":
        image_path = value
    elif key == "log":
        log_path = value
    else:
        raise RuntimeError("unknown parameter " + key)


def open(readonly):
    global image, log
    if image is None:
        image = os.open(image_path, os.O_RDWR)
        log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return 1


def get_size(handle):
    return os.fstat(image).st_size


def can_flush(handle):
    return True


def pread(handle, buffer, offset, flags):
    buffer[:] = os.pread(image, len(buffer), offset)


def pwrite(handle, buffer, offset, flags):
    os.write(log, b"W" + struct.pack(">QI", offset, len(buffer)) + bytes(buffer))
    os.pwrite(image, buffer, offset)


def flush(handle, flags):
    os.write(log, b"F")
