"""Makes renditions of an image by Pillow, of which nothing is believed before it is checked."""

import hashlib
import io
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput
from cronops.jobs.images.geometry import cut_for

if TYPE_CHECKING:
    from PIL import Image

    from cronops.config.renditions import Rendition

ACCEPTED = ("JPEG", "PNG", "WEBP", "GIF")
EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp"}

# Raised by one where what is made of the same image and settings would be another.
_RECIPE_VERSION = 1
_WHITE = (255, 255, 255)
# So much larger than the rendition is a JPEG decoded at least, before it is scaled down well.
_DECODED_AT_LEAST = 2.0


class NoImage(BadInput):
    """What is there is no image, or none that is taken."""


@dataclass(frozen=True)
class Made:
    """One rendition, ready to be written."""

    name: str
    content: bytes
    width: int
    height: int
    format: str

    def described(self, file: str) -> dict[str, Any]:
        """What the image's row keeps of it."""
        facts = asdict(self)
        content = facts.pop("content")
        return {**facts, "file": file, "bytes": len(content)}


def recipe_of(renditions: Sequence["Rendition"]) -> str:
    """Names what is made: the same for the same settings."""
    said = json.dumps([_RECIPE_VERSION, [dict(one) for one in renditions]], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def make_renditions(
    content: bytes, renditions: Sequence["Rendition"], *, max_pixels: int
) -> list[Made]:
    """Decode an image and make every rendition of it.

    Turned as its EXIF data say; in sRGB; without metadata; transparency on white for JPEG; of
    several frames the first. Raises `NoImage` where it is none, is damaged, or is too large.
    """
    with _guarded():
        image = _open(content, max_pixels)
        largest = max(max(one.width, one.height) for one in renditions)
        wanted = round(largest * _DECODED_AT_LEAST)
        image.draft(None, (wanted, wanted))  # for a JPEG: decode an eighth, where that is enough
        image.load()
        profile = image.info.get("icc_profile")
        _turn_upright(image)
        scalable = _scalable(image)
        return [_render(scalable, one, profile) for one in renditions]


def _open(content: bytes, max_pixels: int) -> "Image.Image":
    from PIL import Image, UnidentifiedImageError

    # Only the header is read here, and judged by us; the rest by Pillow, should there be more.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(io.BytesIO(content), formats=ACCEPTED)
    except UnidentifiedImageError:
        raise NoImage(
            f"it is no image of a kind that is taken ({', '.join(ACCEPTED)}); it begins with "
            f"{content[:16]!r}"
        ) from None
    width, height = image.size
    if width * height > max_pixels:
        raise NoImage(
            f"{width:,} x {height:,} pixels are more than {max_pixels:,} "
            "(CRONOPS_IMAGES__MAX_PIXELS)"
        )
    Image.MAX_IMAGE_PIXELS = max_pixels
    return image


@contextmanager
def _guarded() -> Iterator[None]:
    """Whatever a decoder stumbles over is the image's fault."""
    try:
        with warnings.catch_warnings():
            # A bomb that is only warned of is refused; what else is odd about a file, is not.
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", ".*decompression bomb.*")
            yield
    except NoImage:
        raise
    except MemoryError:
        raise NoImage("it needs more memory to decode than there is") from None
    except Exception as error:
        # Decoders raise what they like: OSError, SyntaxError, struct.error, IndexError …
        raise NoImage(f"it cannot be decoded: {type(error).__name__}: {error}"[:300]) from None


def _turn_upright(image: "Image.Image") -> None:
    from PIL import ImageOps

    # Damaged EXIF data turn nothing, and are no reason to do without the image. In place: a
    # second copy of fifty megapixels is 200 MB.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _scalable(image: "Image.Image") -> "Image.Image":
    """In a mode whose pixels can be averaged: L, RGB, RGBA, CMYK."""
    if image.mode in ("L", "RGB", "RGBA", "CMYK"):
        if image.mode in ("L", "RGB") and "transparency" in image.info:
            return image.convert("RGBA")
        return image
    if image.mode.startswith("I"):
        # Sixteen bits a pixel; convert() alone would clip them, not scale them.
        return image.convert("I").point([value >> 8 for value in range(1 << 16)], "L")
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _render(image: "Image.Image", rendition: "Rendition", profile: bytes | None) -> Made:
    from PIL import Image

    cut = cut_for(image.size, (rendition.width, rendition.height), rendition.fit)
    scaled = image.resize(cut.size, Image.Resampling.LANCZOS, box=cut.box, reducing_gap=3.0)
    finished = _in_srgb(scaled, profile)
    if rendition.format == "jpeg":
        finished = _flattened(finished)
    # What an encoder finds here it writes: comments, places, the camera's number.
    finished.info = {}
    buffer = io.BytesIO()
    finished.save(buffer, format=rendition.format.upper(), **_options(rendition))
    width, height = finished.size
    return Made(rendition.name, buffer.getvalue(), width, height, rendition.format)


def _options(rendition: "Rendition") -> dict[str, Any]:
    if rendition.format == "jpeg":
        return {"quality": rendition.quality, "progressive": True}
    if rendition.format == "webp":
        return {"quality": rendition.quality, "method": 4}
    return {}


def _in_srgb(image: "Image.Image", profile: bytes | None) -> "Image.Image":
    """In sRGB, as whoever is shown an image without a profile takes it to be."""
    if profile:
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        try:
            converted = _by_profile(image.convert("RGB") if alpha else image, profile)
        except Exception:
            # A profile that is damaged, or of other colours than the image's, is passed over.
            converted = None
        if converted is not None:
            if alpha is not None:
                converted.putalpha(alpha)
            return converted
    return image.convert("RGB") if image.mode in ("CMYK", "L") else image


def _by_profile(image: "Image.Image", profile: bytes) -> "Image.Image | None":
    from PIL import ImageCms

    own = ImageCms.getOpenProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(image, own, _srgb(), outputMode="RGB")


@lru_cache(maxsize=1)
def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("sRGB")


def _flattened(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, _WHITE)
    ground.paste(image, mask=image.getchannel("A"))
    return ground
