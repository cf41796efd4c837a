"""What a file that is no document is called, by its first bytes; old Office files by the streams they hold."""

from __future__ import annotations

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF87a", "a GIF picture"),
    (0, b"GIF89a", "a GIF picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (8, b"WEBPVP8", "a WebP picture"),
    (0, b"8BPS\x00", "a Photoshop picture"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"AT&TFORM", "a DjVu file; convert it to PDF"),
    (4, b"ftypheic", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIC picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypqt", "a QuickTime video"),
    (4, b"ftypM4A", "an M4A recording"),
    (4, b"ftyp", "an MP4 video"),
    (8, b"AVI LIST", "an AVI video"),
    (8, b"WAVE", "a WAV recording"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x00\x00\x01\xba", "an MPEG video"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a Windows Media file"),
    (0, b"ID3", "an MP3 recording"),
    (0, b"\xff\xfb", "an MP3 recording"),
    (0, b"fLaC", "a FLAC recording"),
    (0, b"OggS", "an Ogg recording"),
    (0, b"MThd", "a MIDI file"),
    (0, b"\x7fELF", "a program for Linux"),
    (0, b"MZ", "a program for Windows"),
    (0, b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (0, b"\xca\xfe\xba\xbe\x00\x00\x00\x02", "a program for macOS"),
    (0, b"\xca\xfe\xba\xbe", "a Java class"),
    (0, b"\x00asm", "a WebAssembly program"),
    (0, b"!<arch>\ndebian", "a Debian package"),
    (0, b"!<arch>\n", "a program library"),
    (0, b"\xed\xab\xee\xdb", "an RPM package"),
    (2, b"\x0d\x0d\x0a", "compiled Python"),
    (0, b"Rar!\x1a\x07", "a RAR archive; unpack it"),
    (0, b"7z\xbc\xaf'\x1c", "a 7z archive; unpack it"),
    (0, b"BZh", "a bzip2 file; unpack it"),
    (0, b"\xfd7zXZ\x00", "an xz file; unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it"),
    (0, b'\x04"M\x18', "an LZ4 file; unpack it"),
    (257, b"ustar", "a tar archive; unpack it"),
    (0, b"MSCF\x00", "a Windows cabinet archive; unpack it"),
    (32769, b"CD001", "a disk image"),
    (0, b"SQLite format 3\x00", "an SQLite database"),
    (4, b"Standard Jet DB", "an Access database"),
    (4, b"Standard ACE DB", "an Access database"),
    (0, b"PAR1", "a Parquet table"),
    (0, b"\x89HDF\r\n", "an HDF5 file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x80\x04\x95", "a pickled Python object"),
    (0, b"GGUF", "a language model"),
    (0, b"\x00\x01\x00\x00\x00", "a font"),
    (0, b"OTTO\x00", "a font"),
    (0, b"ttcf\x00", "a font"),
    (0, b"wOFF", "a font"),
    (0, b"wOF2", "a font"),
    (0, b"%!PS", "a PostScript file; convert it to PDF"),
    (60, b"BOOKMOBI", "a Kindle book; convert it to EPUB"),
    (0, b"ITSF\x03", "a Windows help file (.chm)"),
    (0, b"!BDN", "an Outlook mailbox (.pst); export it as .mbox or .eml"),
    (0, b'x\x9f>"', "attachments packed by Outlook (winmail.dat)"),
    (0, b"\xffWPC", "a WordPerfect document; save it as .docx"),
    (0, b"\xdb\xa5", "a very old Word document; save it as .docx"),
    (0, b"bplist00", "an Apple property list"),
    (0, b"L\x00\x00\x00\x01\x14\x02", "a Windows shortcut"),
    (0, b"-----BEGIN PGP MESSAGE", "encrypted (PGP)"),
    (0, b"Salted__", "encrypted (OpenSSL)"),
    (0, b"BM", "a BMP picture"),
)
# The first of these streams that an OLE file has says what it is: an e-mail may hold a document, never the reverse.
_STREAMS = (
    ("EncryptedPackage", "an encrypted Office document: needs a password"),
    ("__properties_version1.0", "an Outlook message (.msg); save it as .eml"),
    ("WordDocument", "an old Word document (.doc); save it as .docx"),
    ("PowerPoint Document", "an old PowerPoint presentation (.ppt); save it as .pptx"),
    ("Workbook", "an old Excel workbook (.xls); save it as .xlsx"),
    ("Book", "an old Excel workbook (.xls); save it as .xlsx"),
    ("VisioDocument", "a Visio drawing"),
    ("Quill", "a Publisher document; save it as PDF"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENTRY = 128


def binary_name(data: bytes, *, is_text: bool) -> str:
    """What the bytes are, in words, or "" when their beginning is that of no known format.

    For a text (`is_text`) only those signatures count that no text begins with.
    """
    if data.startswith(_OLE):
        return _ole_name(data)
    for at, signature, name in _SIGNATURES:
        if data.startswith(signature, at) and not (is_text and _may_be_text(signature)):
            return name
    return ""


def _may_be_text(signature: bytes) -> bool:
    return signature.isascii() and signature.decode("ascii").isprintable() and not signature.startswith((b"%!PS", b"-"))


def _ole_name(data: bytes) -> str:
    """An OLE file is a file system of its own, whose directory entries lie at every 128th byte of some sectors."""
    for stream, name in _STREAMS:
        entry = f"{stream}\0".encode("utf-16-le")
        at = data.find(entry)
        while at >= 0:
            if at % _OLE_ENTRY == 0:
                return name
            at = data.find(entry, at + 1)
    return "an old Office file or one of a similar kind"
