"""Reads a QR code with libzbar, as a phone's camera would."""

import ctypes
import ctypes.util

SCALE = 4  # pixels of a module


def picture(text):
    """Pixels, width and height of a code drawn with "##" for dark modules."""
    rows = text.splitlines()
    width = max(map(len, rows)) // 2
    pixels = bytearray()
    for row in rows:
        line = bytearray()
        for at in range(width):
            line += (b"\0" if row[2 * at:2 * at + 2] == "##" else b"\xff") * SCALE
        pixels += line * SCALE
    return bytes(pixels), width * SCALE, len(rows) * SCALE


def available():
    return ctypes.util.find_library("zbar") is not None


def read(text):
    """The text in a code, or None."""
    zbar = ctypes.CDLL(ctypes.util.find_library("zbar"))
    for name in ("zbar_image_scanner_create", "zbar_image_create", "zbar_image_first_symbol"):
        getattr(zbar, name).restype = ctypes.c_void_p
    zbar.zbar_symbol_get_data.restype = ctypes.c_char_p
    pixels, width, height = picture(text)
    scanner = ctypes.c_void_p(zbar.zbar_image_scanner_create())
    image = ctypes.c_void_p(zbar.zbar_image_create())
    zbar.zbar_image_set_format(image, ctypes.c_ulong(int.from_bytes(b"Y800", "little")))
    zbar.zbar_image_set_size(image, width, height)
    zbar.zbar_image_set_data(image, pixels, ctypes.c_ulong(len(pixels)), None)
    zbar.zbar_scan_image(scanner, image)
    symbol = zbar.zbar_image_first_symbol(image)
    found = symbol and zbar.zbar_symbol_get_data(ctypes.c_void_p(symbol)).decode()
    zbar.zbar_image_destroy(image)
    zbar.zbar_image_scanner_destroy(scanner)
    return found
