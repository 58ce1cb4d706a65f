#!/usr/bin/env python3
"""Compares two trees exactly: the second opinion beside compare-trees.ts, sharing no code with Cofre.

Usage: python3 compare-trees.py [--ignore-sockets] [--json] EXPECTED ACTUAL

Prints one difference a line and exits with 1 when there is any, 0 when there is none, 2 on wrong usage.
With --json a line is {"path", "what", "expected", "actual"}; paths are bytes written as Latin-1. Access,
change and birth times, sizes and link counts of folders are not compared: no restore can set them all.
Both trees are walked by descriptors, so paths may be longer than the kernel's 4,096 bytes.
"""

import hashlib
import json
import os
import stat
import sys

READ_BYTES = 1 << 20
BLOCK_BYTES = 4096
SECTOR_BYTES = 512
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Comparison:
    def __init__(self, report, ignore_sockets):
        self.report = report
        self.ignore_sockets = ignore_sockets
        # Which objects of one side correspond to which of the other: hard-link groups must be the same.
        self.actual_of_expected = {}
        self.expected_of_actual = {}

    def roots(self, expected_root, actual_root):
        pair = (os.open(expected_root, FOLDER_FLAGS), os.open(actual_root, FOLDER_FLAGS))
        self.metadata(b".", os.fstat(pair[0]), os.fstat(pair[1]), handle_paths(pair))
        self.walk(pair)

    def walk(self, pair):
        """Depth first with one open folder a side, whatever the depth: the way back is ".."."""
        path = []
        pending = [self.folder(path, pair)]
        while pending:
            name = pending[-1].pop() if pending[-1] else None
            if name is not None:
                below = self.open_both(path + [name], name, pair)
                if below:
                    close_both(pair)
                    pair = below
                    path.append(name)
                    pending.append(self.folder(path, pair))
                continue
            pending.pop()
            if pending:
                path.pop()
                above = tuple(os.open(b"..", FOLDER_FLAGS, dir_fd=fd) for fd in pair)
                close_both(pair)
                pair = above
        close_both(pair)

    def folder(self, path, pair):
        """Compares what stands directly in a folder; returns the names of folders to go into, last first."""
        expected, actual = (self.names(fd) for fd in pair)
        if expected is None or actual is None:
            if expected is not actual:
                self.report(path, "readable", str(expected is not None), str(actual is not None))
            return []
        for name in sorted(expected - actual):
            self.report(path + [name], "missing", "present", "absent")
        for name in sorted(actual - expected):
            self.report(path + [name], "unexpected", "absent", "present")
        below = [name for name in sorted(expected & actual) if self.entry(path + [name], name, pair)]
        return below[::-1]

    def names(self, fd):
        try:
            names = {os.fsencode(name) for name in os.listdir(fd)}
        except PermissionError:
            return None
        if self.ignore_sockets:
            names = {name for name in names if not stat.S_ISSOCK(lstat(name, fd).st_mode)}
        return names

    def entry(self, path, name, pair):
        expected, actual = (lstat(name, fd) for fd in pair)
        if stat.S_IFMT(expected.st_mode) != stat.S_IFMT(actual.st_mode):
            self.report(path, "type", type_name(expected), type_name(actual))
            return False
        places = tuple(b"/proc/self/fd/%d/%s" % (fd, name) for fd in pair)
        self.metadata(path, expected, actual, places)
        self.links(path, expected, actual)
        if stat.S_ISREG(expected.st_mode):
            self.content(path, expected, actual, name, pair)
        elif stat.S_ISLNK(expected.st_mode):
            targets = [os.readlink(name, dir_fd=fd) for fd in pair]
            self.same(path, "link target", repr(targets[0]), repr(targets[1]))
        elif stat.S_ISCHR(expected.st_mode) or stat.S_ISBLK(expected.st_mode):
            self.same(path, "device number", expected.st_rdev, actual.st_rdev)
        return stat.S_ISDIR(expected.st_mode)

    def metadata(self, path, expected, actual, places):
        self.same(path, "mode", oct(stat.S_IMODE(expected.st_mode)), oct(stat.S_IMODE(actual.st_mode)))
        self.same(path, "uid", expected.st_uid, actual.st_uid)
        self.same(path, "gid", expected.st_gid, actual.st_gid)
        self.same(path, "mtime", expected.st_mtime_ns, actual.st_mtime_ns)
        attributes = [extended_attributes(place) for place in places]
        for name in sorted(attributes[0].keys() | attributes[1].keys()):
            values = [shown_value(side.get(name)) for side in attributes]
            self.same(path, "xattr " + ascii(name), *values)

    def links(self, path, expected, actual):
        if stat.S_ISDIR(expected.st_mode) or (expected.st_nlink == 1 and actual.st_nlink == 1):
            return
        keys = [(side.st_dev, side.st_ino) for side in (expected, actual)]
        known = (self.actual_of_expected.setdefault(keys[0], (keys[1], path)),
                 self.expected_of_actual.setdefault(keys[1], (keys[0], path)))
        if known[0][0] != keys[1]:
            self.report(path, "hard link", "same as " + shown_path(known[0][1]), "another object")
        elif known[1][0] != keys[0]:
            self.report(path, "hard link", "another object", "same as " + shown_path(known[1][1]))

    def content(self, path, expected, actual, name, pair):
        self.same(path, "size", expected.st_size, actual.st_size)
        if expected.st_size != actual.st_size:
            return
        files = [open_file(name, fd) for fd in pair]
        try:
            if None in files:
                self.same(path, "readable", files[0] is not None, files[1] is not None)
            else:
                self.bytes_and_holes(path, expected, actual, files)
        finally:
            for file in files:
                if file is not None:
                    os.close(file)

    def bytes_and_holes(self, path, expected, actual, files):
        extents = [data_extents(file, expected.st_size) for file in files]
        if extents[0] != extents[1]:
            self.report(path, "data extents", shown_extents(extents[0]), shown_extents(extents[1]))
        allowed = expected.st_blocks * SECTOR_BYTES + (len(extents[0]) + 1) * BLOCK_BYTES
        if actual.st_blocks * SECTOR_BYTES > allowed:
            self.report(path, "allocated bytes", "at most %d" % allowed, str(actual.st_blocks * SECTOR_BYTES))
        # Where neither side has data both read as zeros; everywhere else the bytes themselves are compared.
        for start, end in united(extents[0] + extents[1]):
            offset = start
            while offset < end:
                length = min(READ_BYTES, end - offset)
                sides = [os.pread(file, length, offset) for file in files]
                if sides[0] != sides[1]:
                    first = first_difference(sides)
                    self.report(path, "content", *("byte %d of %s" % (offset + first, hashlib.sha256(side).hexdigest()[:16])
                                                   for side in sides))
                    return
                if not sides[0]:
                    return
                offset += len(sides[0])

    def open_both(self, path, name, pair):
        opened = []
        for fd in pair:
            opened.append(open_folder(name, fd))
        if None not in opened:
            return tuple(opened)
        self.same(path, "readable", opened[0] is not None, opened[1] is not None)
        for fd in opened:
            if fd is not None:
                os.close(fd)
        return None

    def same(self, path, what, expected, actual):
        if expected != actual:
            self.report(path, what, str(expected), str(actual))


def lstat(name, fd):
    return os.stat(name, dir_fd=fd, follow_symlinks=False)


def handle_paths(pair):
    return tuple(b"/proc/self/fd/%d/." % fd for fd in pair)


def close_both(pair):
    for fd in pair:
        os.close(fd)


def open_folder(name, fd):
    try:
        folder = os.open(name, FOLDER_FLAGS, dir_fd=fd)
    except PermissionError:
        return None
    if os.access(b".", os.X_OK, dir_fd=folder, effective_ids=True):
        return folder
    # It may be listed but not gone through: there is no way back from it either.
    os.close(folder)
    return None


def open_file(name, fd):
    try:
        return os.open(name, FILE_FLAGS, dir_fd=fd)
    except PermissionError:
        return None


def extended_attributes(place):
    try:
        names = os.listxattr(place, follow_symlinks=False)
        return {name: os.getxattr(place, os.fsencode(name), follow_symlinks=False) for name in names}
    except OSError as error:
        return {"(unreadable)": str(error.errno).encode()}


def shown_value(value):
    if value is None:
        return "absent"
    if len(value) <= 64:
        return "%d bytes %s" % (len(value), value.hex())
    return "%d bytes, SHA-256 %s" % (len(value), hashlib.sha256(value).hexdigest())


def data_extents(file, size):
    extents = []
    offset = 0
    while offset < size:
        try:
            start = os.lseek(file, offset, os.SEEK_DATA)
        except OSError:
            break  # ENXIO: only a hole is left.
        offset = min(os.lseek(file, start, os.SEEK_HOLE), size)
        extents.append((start, offset))
    return extents


def united(extents):
    result = []
    for start, end in sorted(extents):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def shown_extents(extents):
    shown = ", ".join("%d-%d" % extent for extent in extents[:20])
    return shown + (" and %d more" % (len(extents) - 20) if len(extents) > 20 else "")


def first_difference(sides):
    shorter = min(len(side) for side in sides)
    return next((at for at in range(shorter) if sides[0][at] != sides[1][at]), shorter)


def type_name(status):
    return {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "symlink",
        stat.S_IFIFO: "fifo",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "character-device",
        stat.S_IFBLK: "block-device",
    }.get(stat.S_IFMT(status.st_mode), "unknown")


def shown_path(path):
    return ascii(joined(path).decode("latin-1"))[1:-1]


def joined(path):
    return path if isinstance(path, bytes) else b"/".join(path)


def main(arguments):
    options = {argument for argument in arguments if argument.startswith("--")}
    roots = [argument for argument in arguments if not argument.startswith("--")]
    if len(roots) != 2 or options - {"--json", "--ignore-sockets"}:
        print(__doc__, file=sys.stderr)
        return 2
    found = 0

    def report(path, what, expected, actual):
        nonlocal found
        found += 1
        if "--json" in options:
            difference = {"path": joined(path).decode("latin-1"), "what": what}
            print(json.dumps({**difference, "expected": expected, "actual": actual}))
        else:
            print("%s: %s: expected %s, found %s" % (shown_path(path), what, expected, actual))

    Comparison(report, "--ignore-sockets" in options).roots(*roots)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
