"""Writes small pictures of every kind that the decoder reads, and what Pillow makes of them.

    pip install pillow==13.0.0 numpy
    python make_pictures.py ../resources/pictures

`index.csv` gives, per file, format, width, height and the SHA-256 of the pixels of `convert("RGB")`;
`animations/index.csv` also the number of frames, and the SHA-256 of the pixels of all of them, one after the other.
Files that Pillow cannot write (interlaced PNG, tiled TIFF and many more) are written here, byte by byte.
"""

import csv
import hashlib
import io
import pathlib
import struct
import sys
import zlib

import numpy
from PIL import Image

WIDTH, HEIGHT = 23, 17
RANDOM = numpy.random.RandomState(1)


def samples(channels: int, bits: int, width: int = WIDTH, height: int = HEIGHT) -> numpy.ndarray:
    """Noise upon a gradient, shape (height, width, channels): every level of few bits occurs."""
    top = (1 << bits) - 1
    slope = numpy.add.outer(numpy.arange(height) * 3, numpy.arange(width) * 5)[:, :, None]
    noise = RANDOM.randint(0, 1 << 16, (height, width, channels))
    return ((slope * (top // 160 + 1) + noise * top // 65535 // (2 if bits > 2 else 1)) % (top + 1)).astype(int)


def smooth(mode: str, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """A picture that lossy formats keep."""
    x = numpy.linspace(0, 255, width)[None, :]
    y = numpy.linspace(0, 255, height)[:, None]
    planes = [x + 0 * y, y + 0 * x, (x + y) / 2, 255 - abs(x - y)]
    return Image.fromarray(numpy.stack(planes, -1).astype("uint8"), "RGBA").convert("RGB").convert(mode)


def packed(values: numpy.ndarray, bits: int, order: str = ">") -> bytes:
    """The samples of rows, each of which begins at a byte; `values` has shape (rows, samples)."""
    if bits == 16:
        return values.astype(order + "u2").tobytes()
    if bits == 8:
        return values.astype("uint8").tobytes()
    digits = (values[:, :, None] >> numpy.arange(bits - 1, -1, -1)) & 1
    return numpy.packbits(digits.reshape(len(values), -1).astype("uint8"), axis=1).tobytes()


# --- PNG -------------------------------------------------------------------------------------------------------------

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(colour_type: int, bits: int, *, interlaced: bool = False, before: bytes = b"", width: int = WIDTH,
        height: int = HEIGHT) -> bytes:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    pixels = samples(channels, bits, width, height)
    data = b""
    for left, top, across, down in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = pixels[top::down, left::across]
        if part.size:
            rows = packed(part.reshape(len(part), -1), bits)
            length = len(rows) // len(part)
            data += b"".join(b"\0" + rows[i * length:(i + 1) * length] for i in range(len(part)))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, int(interlaced))
    if colour_type == 3:
        before = chunk(b"PLTE", samples(3, 8, 1 << bits, 1).astype("uint8").tobytes()) + before
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(data))
            + chunk(b"IEND", b""))


def pngs():
    for colour_type, name, depths in [(0, "gray", [1, 2, 4, 8, 16]), (2, "rgb", [8, 16]), (3, "palette", [1, 2, 4, 8]),
                                      (4, "gray-alpha", [8, 16]), (6, "rgba", [8, 16])]:
        for bits in depths:
            yield f"{name}-{bits}.png", png(colour_type, bits)
            yield f"{name}-{bits}-interlaced.png", png(colour_type, bits, interlaced=True)
    yield "palette-8-transparent.png", png(3, 8, before=chunk(b"tRNS", bytes(range(200))))
    yield "palette-4-transparent.png", png(3, 4, before=chunk(b"tRNS", bytes([0, 128])))
    yield "gray-8-transparent.png", png(0, 8, before=chunk(b"tRNS", b"\0\x40"))
    yield "rgb-8-transparent.png", png(2, 8, before=chunk(b"tRNS", b"\0\x40\0\x41\0\x42"))
    yield "rgb-8-gamma.png", png(2, 8, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "gray-8-gamma.png", png(0, 8, before=chunk(b"gAMA", struct.pack(">I", 30000)))
    yield "rgb-8-1x1-interlaced.png", png(2, 8, interlaced=True, width=1, height=1)
    yield "gray-1-1x9.png", png(0, 1, width=1, height=9)
    frames = [smooth("RGB"), smooth("RGB").rotate(180)]
    yield "animated.png", saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=False)


# --- JPEG, WebP, GIF -------------------------------------------------------------------------------------------------

def saved(image: Image.Image, form: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpegs():
    photo = smooth("RGB", 37, 29)
    for name, options in {"444": {"subsampling": 0}, "422": {"subsampling": 1}, "420": {"subsampling": 2},
                          "progressive": {"progressive": True}, "progressive-444": {"progressive": True,
                                                                                   "subsampling": 0},
                          "restarts": {"restart_marker_blocks": 2}, "kept-rgb": {"keep_rgb": True}}.items():
        yield f"{name}.jpg", saved(photo, "JPEG", quality=80, **options)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"orientation-{orientation}.jpg", saved(photo, "JPEG", quality=60, exif=exif)
    for options in [{}, {"progressive": True}]:
        name = "-progressive" if options else ""
        yield f"gray{name}.jpg", saved(photo.convert("L"), "JPEG", **options)
        inks = Image.fromarray((samples(4, 8, 37, 29) // 4 + 64).astype("uint8"), "CMYK")
        cmyk = saved(inks, "JPEG", quality=90, **options)
        yield f"cmyk{name}.jpg", cmyk
        adobe = cmyk.index(b"Adobe")
        yield f"ycck{name}.jpg", cmyk[:adobe + 11] + b"\2" + cmyk[adobe + 12:]
    yield "1x40.jpg", saved(photo.resize((1, 40)), "JPEG")
    yield "1x1.jpg", saved(photo.crop((0, 0, 1, 1)), "JPEG")


def webps():
    photo = smooth("RGB", 37, 29)
    alpha = Image.fromarray(samples(4, 8).astype("uint8"), "RGBA")
    yield "lossy.webp", saved(photo, "WEBP", quality=70)
    yield "lossless.webp", saved(Image.fromarray(samples(3, 8).astype("uint8"), "RGB"), "WEBP", lossless=True)
    yield "lossless-alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True)
    yield "lossy-alpha.webp", saved(alpha, "WEBP", quality=60)
    yield "1x9.webp", saved(alpha.crop((0, 0, 1, 9)), "WEBP", quality=60)
    yield "lossless-animated.webp", saved(alpha, "WEBP", save_all=True, append_images=[alpha.rotate(180)],
                                          lossless=True)


def gifs():
    colours = Image.fromarray(samples(1, 8)[:, :, 0].astype("uint8"), "P")
    colours.putpalette(samples(3, 8, 256, 1).astype("uint8").tobytes())
    yield "plain.gif", saved(colours, "GIF")
    yield "interlaced.gif", saved(colours, "GIF", interlace=True)
    yield "transparent.gif", saved(colours, "GIF", transparency=9)
    yield "gray.gif", saved(smooth("L"), "GIF")
    yield "bilevel.gif", saved(smooth("1"), "GIF")
    yield "1x9.gif", saved(colours.crop((0, 0, 1, 9)), "GIF")
    yield "1x1.gif", saved(colours.crop((0, 0, 1, 1)), "GIF")
    yield "two-frames.gif", saved(colours, "GIF", save_all=True, append_images=[colours.rotate(180)])


# --- BMP -------------------------------------------------------------------------------------------------------------

def bmp(bits: int, rows: bytes, *, compression: int = 0, colours: int = 0, masks: bytes = b"", header: int = 40,
        height: int = HEIGHT) -> bytes:
    palette = samples(3, 8, colours, 1).astype("uint8")[0] if colours else numpy.zeros((0, 3), "uint8")
    entries = b"".join(entry.tobytes() + (b"" if header == 12 else b"\0") for entry in palette)
    if header == 12:
        info = struct.pack("<IHHHH", 12, WIDTH, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, WIDTH, height, 1, bits, compression, len(rows), 2835, 2835, colours,
                           0)
        info += (masks.ljust(header - 40, b"\0") if header > 40 else masks)
    start = 14 + len(info) + len(entries)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + entries + rows


def bmp_rows(values: numpy.ndarray, bits: int) -> bytes:
    rows = packed(values.reshape(HEIGHT, -1), bits, "<")
    length = len(rows) // HEIGHT
    return b"".join(rows[i * length:(i + 1) * length].ljust((length + 3) // 4 * 4, b"\0") for i in range(HEIGHT))


def run_lengths(values: numpy.ndarray, bits: int) -> bytes:
    """Runs, literal stretches and ends of lines, as BI_RLE8 and BI_RLE4 have them."""
    out = bytearray()
    for row in values[:, :, 0]:
        out += bytes([5, int(row[0]) * (17 if bits == 4 else 1)])
        literal = row[5:WIDTH]
        out += bytes([0, len(literal)])
        body = packed(literal[None, :], bits)
        out += body + b"\0" * (len(body) % 2)
        out += b"\0\0"
    return bytes(out + b"\0\1")


def bmps():
    for bits in [1, 4, 8]:
        rows = bmp_rows(samples(1, bits), bits)
        yield f"palette-{bits}.bmp", bmp(bits, rows, colours=1 << bits)
        yield f"palette-{bits}-os2.bmp", bmp(bits, rows, colours=1 << bits, header=12)
    yield "bgr-24.bmp", bmp(24, bmp_rows(samples(3, 8), 8))
    yield "bgr-24-top-down.bmp", bmp(24, bmp_rows(samples(3, 8), 8), height=-HEIGHT)
    yield "bgr-24-os2.bmp", bmp(24, bmp_rows(samples(3, 8), 8), header=12)
    yield "bgrx-32.bmp", bmp(32, bmp_rows(samples(4, 8), 8))
    yield "rgb-555.bmp", bmp(16, bmp_rows(samples(1, 16), 16))
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    yield "rgb-565-masks.bmp", bmp(16, bmp_rows(samples(1, 16), 16), compression=3, masks=masks)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    yield "bgra-32-masks-v5.bmp", bmp(32, bmp_rows(samples(4, 8), 8), compression=3, masks=masks, header=124)
    masks = struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0xFF)
    yield "abgr-32-masks-v4.bmp", bmp(32, bmp_rows(samples(4, 8), 8), compression=3, masks=masks, header=108)
    yield "run-lengths-8.bmp", bmp(8, run_lengths(samples(1, 8), 8), compression=1, colours=256)
    yield "run-lengths-4.bmp", bmp(4, run_lengths(samples(1, 4), 4), compression=2, colours=16)


# --- TIFF ------------------------------------------------------------------------------------------------------------

NONE, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 7, 8, 32773, 32946


def lzw(data: bytes) -> bytes:
    table = {bytes([i]): i for i in range(256)}
    width, bits, count = 9, 0, 0
    out = bytearray()

    def put(code: int) -> None:
        nonlocal bits, count
        bits, count = bits << width | code, count + width
        while count >= 8:
            count -= 8
            out.append(bits >> count & 255)
        bits &= (1 << count) - 1

    put(256)
    known, free = b"", 258
    for byte in data:
        longer = known + bytes([byte])
        if longer in table:
            known = longer
            continue
        put(table[known])
        table[longer], free, known = free, free + 1, bytes([byte])
        if free == 1 << width and width < 12:
            width += 1
        elif free == 4095:
            put(256)
            table, width, free = {bytes([i]): i for i in range(256)}, 9, 258
    if known:
        put(table[known])
        free += 1
        if free == 1 << width and width < 12:
            width += 1
    put(257)
    if count:
        out.append(bits << (8 - count) & 255)
    return bytes(out)


def packbits(data: bytes) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data):
        run = 1
        while at + run < len(data) and run < 128 and data[at + run] == data[at]:
            run += 1
        if run > 1:
            out += bytes([257 - run, data[at]])
            at += run
        else:
            end = at + 1
            while end < len(data) and end - at < 128 and (end + 1 >= len(data) or data[end] != data[end + 1]):
                end += 1
            out += bytes([end - at - 1]) + data[at:end]
            at = end
    return bytes(out)


PACK = {NONE: lambda data: data, LZW: lzw, PACKBITS: packbits, DEFLATE: zlib.compress, OLD_DEFLATE: zlib.compress}


def tiff(values: numpy.ndarray, bits: int, photometric: int, *, order: str = "<", compression: int = NONE,
         strip_rows: int = 7, tile: tuple[int, int] | None = None, planes: bool = False, predictor: int = 1,
         extra: list[int] | None = None, fill_order: int = 1, fields: dict | None = None, pages: int = 1,
         jpeg: dict | None = None) -> bytes:
    height, width, channels = values.shape
    layers = [values[:, :, i:i + 1] for i in range(channels)] if planes else [values]
    pieces = []
    for layer in layers:
        if tile:
            for top in range(0, height, tile[1]):
                for left in range(0, width, tile[0]):
                    piece = layer[top:top + tile[1], left:left + tile[0]]
                    below, right = tile[1] - piece.shape[0], tile[0] - piece.shape[1]
                    pieces.append(numpy.pad(piece, ((0, below), (0, right), (0, 0))))
        else:
            pieces += [layer[top:top + strip_rows] for top in range(0, height, strip_rows)]
    if predictor == 2:
        pieces = [numpy.concatenate([piece[:, :1], numpy.diff(piece, axis=1) % (1 << bits)], 1) for piece in pieces]
    if compression == JPEG:
        data = [saved(Image.fromarray(piece.astype("uint8"), "RGB"), "JPEG", **jpeg) for piece in pieces]
    else:
        data = [PACK[compression](packed(piece.reshape(len(piece), -1), bits, order)) for piece in pieces]
    if fill_order == 2:
        data = [bytes(int(f"{byte:08b}"[::-1], 2) for byte in piece) for piece in data]
    entries = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * channels), 259: (3, [compression]),
               262: (3, [photometric]), 277: (3, [channels])}
    if planes:
        entries[284] = (3, [2])
    if predictor != 1:
        entries[317] = (3, [predictor])
    if fill_order != 1:
        entries[266] = (3, [fill_order])
    if extra:
        entries[338] = (3, extra)
    if photometric == 3:
        entries[320] = (3, list(samples(1, 16, 3 << bits, 1).ravel()))
    offsets = 324 if tile else 273
    if tile:
        entries[322], entries[323] = (3, [tile[0]]), (3, [tile[1]])
    else:
        entries[278] = (3, [strip_rows])
    entries[offsets] = (4, [])
    entries[325 if tile else 279] = (4, [len(piece) for piece in data])
    entries.update(fields or {})

    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    starts = []
    for piece in data:
        starts.append(len(out))
        out += piece + b"\0" * (len(piece) % 2)
    entries[offsets] = (4, starts)
    for page in range(pages):
        directory = b""
        for tag, (kind, numbers) in sorted(entries.items()):
            value = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind] * len(numbers), *map(int, numbers))
            if len(value) > 4:
                place = struct.pack(order + "I", len(out))
                out += value + b"\0" * (len(value) % 2)
            else:
                place = value.ljust(4, b"\0")
            directory += struct.pack(order + "HHI", tag, kind, len(numbers)) + place
        link = 4 if page == 0 else next_link
        struct.pack_into(order + "I", out, link, len(out))
        out += struct.pack(order + "H", len(entries)) + directory
        next_link = len(out)
        out += b"\0\0\0\0"
        entries = dict(entries)
        entries[257] = (3, [1])
    return bytes(out)


def tiffs():
    names = {NONE: "plain", LZW: "lzw", DEFLATE: "deflate", PACKBITS: "packbits"}
    kinds = {"bilevel": (1, 1, 1), "gray-8": (1, 8, 1), "gray-16": (1, 16, 1), "palette-8": (1, 8, 3),
             "rgb-8": (3, 8, 2), "rgb-16": (3, 16, 2), "rgba-8": (4, 8, 2), "rgba-16": (4, 16, 2), "cmyk-8": (4, 8, 5)}
    for kind, (channels, bits, photometric) in kinds.items():
        extra = [2] if kind.startswith("rgba") else None
        for compression, name in names.items():
            yield f"{kind}-{name}.tif", tiff(samples(channels, bits), bits, photometric, compression=compression,
                                             extra=extra)
        yield f"{kind}-big-endian.tif", tiff(samples(channels, bits), bits, photometric, order=">", extra=extra)
        yield f"{kind}-tiles.tif", tiff(samples(channels, bits), bits, photometric, tile=(16, 16), extra=extra,
                                        compression=DEFLATE)
    for order, name in {"<": "", ">": "-big-endian"}.items():
        for bits in [8, 16]:
            for compression in [LZW, DEFLATE]:
                yield (f"rgb-{bits}-{names[compression]}-predictor{name}.tif",
                       tiff(samples(3, bits), bits, 2, order=order, compression=compression, predictor=2))
            yield (f"gray-{bits}-lzw-predictor{name}.tif",
                   tiff(samples(1, bits), bits, 1, order=order, compression=LZW, predictor=2))
    for bits in [2, 4]:
        yield f"gray-{bits}.tif", tiff(samples(1, bits), bits, 1)
        yield f"palette-{bits}.tif", tiff(samples(1, bits), bits, 3)
        yield f"gray-{bits}-white-is-zero.tif", tiff(samples(1, bits), bits, 0)
    yield "palette-1.tif", tiff(samples(1, 1), 1, 3)
    yield "bilevel-white-is-zero.tif", tiff(samples(1, 1), 1, 0)
    yield "bilevel-reversed-bits.tif", tiff(samples(1, 1), 1, 1, fill_order=2)
    yield "gray-8-reversed-bits-lzw.tif", tiff(samples(1, 8), 8, 1, fill_order=2, compression=LZW)
    yield "gray-8-white-is-zero.tif", tiff(samples(1, 8), 8, 0)
    yield "gray-alpha-8.tif", tiff(samples(2, 8), 8, 1, extra=[2])
    yield "rgb-8-extra.tif", tiff(samples(4, 8), 8, 2, extra=[0])
    yield "rgba-8-premultiplied.tif", tiff(samples(4, 8), 8, 2, extra=[1])
    yield "palette-alpha-8.tif", tiff(samples(2, 8), 8, 3, extra=[2])
    for compression in [NONE, LZW]:
        name = names[compression]
        yield f"rgb-8-planes-{name}.tif", tiff(samples(3, 8), 8, 2, planes=True, compression=compression)
        yield f"cmyk-8-planes-{name}.tif", tiff(samples(4, 8), 8, 5, planes=True, compression=compression)
        yield f"rgb-8-planes-tiles-{name}.tif", tiff(samples(3, 8), 8, 2, planes=True, tile=(16, 16),
                                                     compression=compression)
    yield "rgb-8-old-deflate.tif", tiff(samples(3, 8), 8, 2, compression=OLD_DEFLATE)
    yield "rgb-8-plain-tiles.tif", tiff(samples(3, 8), 8, 2, tile=(16, 32))
    yield "rgb-8-one-strip.tif", tiff(samples(3, 8), 8, 2, strip_rows=HEIGHT)
    yield "rgb-8-endless-strip.tif", tiff(samples(3, 8), 8, 2, strip_rows=HEIGHT,
                                          fields={278: (4, [0xFFFFFFFF])}, compression=LZW)
    yield "gray-8-lzw-long.tif", tiff(samples(1, 8, 160, 90), 8, 1, compression=LZW, strip_rows=90)
    yield "rgb-8-two-pages.tif", tiff(samples(3, 8), 8, 2, pages=2)
    yield "1x9.tif", tiff(samples(3, 8, 1, 9), 8, 2, compression=LZW)
    yield "1x1.tif", tiff(samples(3, 8, 1, 1), 8, 2)
    for order, name in {"<": "", ">": "-big-endian"}.items():
        yield f"rgba-16-premultiplied{name}.tif", tiff(samples(4, 16), 16, 2, order=order, extra=[1])
        yield f"cmyk-16{name}.tif", tiff(samples(4, 16), 16, 5, order=order)
    yield "gray-16-white-is-zero.tif", tiff(samples(1, 16) % 300, 16, 0)
    yield "gray-4-lzw-tiles.tif", tiff(samples(1, 4), 4, 1, compression=LZW, tile=(16, 16))
    yield "palette-2-deflate.tif", tiff(samples(1, 2), 2, 3, compression=DEFLATE)
    yield "rgba-8-deflate-predictor-tiles.tif", tiff(samples(4, 8), 8, 2, compression=DEFLATE, predictor=2,
                                                     tile=(16, 16), extra=[2])
    yield "rgb-8-planes-lzw-predictor.tif", tiff(samples(3, 8), 8, 2, planes=True, compression=LZW, predictor=2)
    for orientation in range(1, 9):
        yield f"orientation-{orientation}.tif", tiff(samples(3, 8), 8, 2, fields={274: (3, [orientation])})
    photo = smooth("RGB", 37, 29)
    for mode in ["RGB", "L"]:
        yield f"{mode.lower()}-jpeg.tif", saved(photo.convert(mode), "TIFF", compression="jpeg", quality=80)
    pixels = numpy.asarray(smooth("RGB", 32, 48)).astype(int)
    yield "ycbcr-jpeg-tiles.tif", tiff(pixels, 8, 6, compression=JPEG, tile=(16, 16), fields={530: (3, [2, 2])},
                                       jpeg={"subsampling": 2})
    yield "rgb-jpeg-strips.tif", tiff(pixels[:40], 8, 2, compression=JPEG, strip_rows=16, jpeg={"keep_rgb": True})


# --- Animations ------------------------------------------------------------------------------------------------------

def gif_frame(left: int, top: int, width: int, height: int, *, disposal: int = 0, transparent: int | None = None,
              colours: int = 0, interlaced: bool = False, levels: int = 16) -> bytes:
    """A frame of the pixels of `samples`, without compression: a clear code before every hundredth index."""
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, disposal << 2 | (transparent is not None), 5, transparent or 0, 0)
    palette = samples(3, 8, colours, 1).astype("uint8").tobytes() if colours else b""
    flags = (0x80 | colours.bit_length() - 2 if colours else 0) | (0x40 if interlaced else 0)
    indices = samples(1, 8, width, height).ravel() % levels
    bits, count = 0, 0
    for i, index in enumerate(indices):
        if i % 100 == 0:
            bits, count = bits | 256 << count, count + 9
        bits, count = bits | int(index) << count, count + 9
    bits, count = bits | 257 << count, count + 9
    data = bits.to_bytes((count + 7) // 8, "little")
    blocks = b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255))
    return control + struct.pack("<BHHHHB", 0x2C, left, top, width, height, flags) + palette + b"\x08" + blocks + b"\0"


def gif(frames: list[bytes], *, colours: int = 16, background: int = 3, gray: bool = False) -> bytes:
    palette = samples(3, 8, colours, 1).astype("uint8").tobytes() if colours else b""
    if gray:
        palette = bytes(i // 3 for i in range(3 * colours))
    flags = 0x80 | colours.bit_length() - 2 if colours else 0
    return b"GIF89a" + struct.pack("<HHBBB", WIDTH, HEIGHT, flags, background, 0) + palette + b"".join(frames) + b";"


def animated_gifs():
    whole = (0, 0, WIDTH, HEIGHT)
    parts = [(3, 2, 9, 7), (10, 5, 13, 12), (0, 9, 8, 8), (6, 0, 17, 4), (5, 5, 9, 9)]
    for disposal in range(5):
        for transparent in [None, 5]:
            name = f"disposal-{disposal}" + ("-transparent" if transparent else "")
            later = [gif_frame(*part, disposal=disposal, transparent=transparent) for part in parts]
            yield f"{name}.gif", gif([gif_frame(*whole, disposal=disposal, transparent=transparent), *later])
            yield f"{name}-offset.gif", gif([gif_frame(2, 3, 12, 11, disposal=disposal, transparent=transparent),
                                             *later])
            yield f"{name}-gray.gif", gif([gif_frame(2, 3, 12, 11, disposal=disposal, transparent=transparent),
                                           *later], gray=True)
    yield "own-palettes.gif", gif([gif_frame(*whole)] + [gif_frame(*part, colours=8, disposal=i % 4, levels=8,
                                                                   transparent=[None, 2][i % 2])
                                                         for i, part in enumerate(parts)])
    yield "without-palette.gif", gif([gif_frame(*whole)] + [gif_frame(*part, disposal=2) for part in parts], colours=0)
    yield "mixed-disposals.gif", gif([gif_frame(*whole, disposal=1)] +
                                     [gif_frame(*part, disposal=disposal, transparent=transparent, interlaced=True)
                                      for part, disposal, transparent in zip(parts * 2, [2, 0, 3, 1, 2, 3, 3, 0, 2, 1],
                                                                             [None, 3, 4, None, 5] * 2)])
    yield "beyond-the-palette.gif", gif([gif_frame(*whole, levels=40), gif_frame(*parts[0], levels=60, disposal=2,
                                                                               transparent=50),
                                         gif_frame(*parts[1], levels=60)])
    yield "one-frame.gif", gif([gif_frame(*whole)])
    yield "many-frames.gif", gif([gif_frame(i % 9, i % 7, 5, 4, transparent=i % 16) for i in range(70)])


def animated_webps():
    def picture(clear: int) -> Image.Image:
        pixels = samples(4, 8).astype("uint8")
        # Runs that do not change make the encoder write parts of the canvas.
        pixels[:clear] = 90
        pixels[clear:clear + 4, ::3, 3] = 0
        return Image.fromarray(pixels, "RGBA")

    for name, options in {"lossless": {"lossless": True}, "lossy": {"quality": 60},
                          "mixed": {"quality": 60, "allow_mixed": True},
                          "keyframes": {"lossless": True, "kmin": 1, "kmax": 2},
                          "background": {"lossless": True, "background": (9, 8, 7, 255)}}.items():
        frames = [picture(clear) for clear in [3, 9, 6, 12, 1, 8]]
        yield f"{name}.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], **options)
    for name, lossless in {"placed-lossless": True, "placed-lossy": False}.items():
        yield f"{name}.webp", webp([placed(left, top, width, height, flags, lossless)
                                    for left, top, width, height, flags in [
                                        (0, 0, 23, 17, 0), (4, 2, 9, 11, 0), (6, 6, 12, 8, 1), (2, 4, 15, 10, 0),
                                        (8, 0, 7, 17, 2), (0, 8, 23, 9, 3), (10, 4, 9, 9, 0), (0, 0, 23, 17, 1),
                                        (4, 4, 8, 8, 0), (0, 0, 23, 17, 2), (6, 2, 11, 11, 1), (6, 2, 11, 11, 0)]])
    yield "placed-first.webp", webp([placed(4, 2, 9, 11, 1, True), placed(6, 4, 9, 9, 0, True),
                                     placed(2, 2, 7, 7, 0, False)])


def placed(left: int, top: int, width: int, height: int, flags: int, lossless: bool) -> bytes:
    """An ANMF chunk. Flags: 1 clears the place before the next frame, 2 replaces rather than blends."""
    pixels = samples(4, 8, width, height).astype("uint8")
    pixels[::4, :, 3] = 0
    pixels[1::4, :, 3] = 255
    still = saved(Image.fromarray(pixels, "RGBA"), "WEBP", lossless=lossless, exact=True, quality=70)
    at, chunks = 12, b""
    while at < len(still):
        size = struct.unpack_from("<I", still, at + 4)[0]
        size += size % 2 + 8
        if still[at:at + 4] in [b"ALPH", b"VP8 ", b"VP8L"]:
            chunks += still[at:at + size]
        at += size
    numbers = b"".join(struct.pack("<I", n)[:3] for n in [left // 2, top // 2, width - 1, height - 1, 100])
    content = numbers + bytes([flags]) + chunks
    return b"ANMF" + struct.pack("<I", len(content)) + content


def webp(frames: list[bytes]) -> bytes:
    extended = struct.pack("<I", 0x12) + struct.pack("<I", WIDTH - 1)[:3] + struct.pack("<I", HEIGHT - 1)[:3]
    content = b"WEBPVP8X" + struct.pack("<I", 10) + extended + b"ANIM" + struct.pack("<IIH", 6, 0xFF102030, 0)
    content += b"".join(frames)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    write_stills(folder, [pngs, jpegs, webps, gifs, bmps, tiffs])
    write_animations(folder / "animations", [animated_gifs, animated_webps])


def write_stills(folder: pathlib.Path, makers: list) -> None:
    rows = []
    for make in makers:
        for name, data in make():
            write(folder / name, data)
            with Image.open(io.BytesIO(data)) as image:
                pixels = image.convert("RGB")
            rows.append([name, image.format, *pixels.size, hashlib.sha256(pixels.tobytes()).hexdigest()])
    write_table(folder / "index.csv", rows)


def write_animations(folder: pathlib.Path, makers: list) -> None:
    folder.mkdir(exist_ok=True)
    rows = []
    for make in makers:
        for name, data in make():
            write(folder / name, data)
            with Image.open(io.BytesIO(data)) as image:
                count = image.n_frames
                shown = hashlib.sha256()
                for frame in range(count):
                    image.seek(frame)
                    shown.update(image.convert("RGB").tobytes())
            rows.append([name, image.format, *image.size, count, shown.hexdigest()])
    write_table(folder / "index.csv", rows)


def write(path: pathlib.Path, data: bytes) -> None:
    if path.exists():
        sys.exit(f"{path} is already there: empty the folder first")
    path.write_bytes(data)


def write_table(path: pathlib.Path, rows: list) -> None:
    with open(path, "w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
