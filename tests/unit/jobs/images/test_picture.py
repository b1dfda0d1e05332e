"""Renditions: their pixels, their colours, and nothing in them that is nobody's business."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from cronops.config.renditions import Rendition
from cronops.jobs.images.geometry import cut_for
from cronops.jobs.images.picture import Made, NoImage, make_renditions, recipe_of

MANY = 10_000_000
RED = (255, 0, 0)


def rendition(**fields: Any) -> Rendition:
    return Rendition(**{"name": "one", "width": 100, "height": 100, **fields})


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def made_of(content: bytes, **fields: Any) -> Image.Image:
    (made,) = make_renditions(content, [rendition(**fields)], max_pixels=MANY)
    return opened(made)


def opened(made: Made) -> Image.Image:
    image = Image.open(io.BytesIO(made.content))
    image.load()
    assert image.size == (made.width, made.height)
    return image


def close(colour: Any, wanted: tuple[int, ...], by: int = 8) -> bool:
    return all(abs(a - b) <= by for a, b in zip(colour, wanted, strict=True))


SIDES = st.integers(1, 5_000)
SIZES = st.tuples(SIDES, SIDES)


@given(SIZES, SIZES)
def test_contain_shows_all_of_the_image_within_the_box(
    image: tuple[int, int], box: tuple[int, int]
) -> None:
    cut = cut_for(image, box, "contain")
    assert cut.box == (0, 0, *image)
    assert all(1 <= side <= max(1, most) for side, most in zip(cut.size, box, strict=True))
    assert all(side <= own for side, own in zip(cut.size, image, strict=True))
    # One side fills the box, or nothing was made smaller.
    assert cut.size == image or cut.size[0] == box[0] or cut.size[1] == box[1]


@given(SIZES, SIZES)
def test_cover_fills_the_box_from_within_the_image(
    image: tuple[int, int], box: tuple[int, int]
) -> None:
    size, (left, upper, right, lower) = cut_for(image, box, "cover")
    assert 0 <= left < right <= image[0] + 1e-6
    assert 0 <= upper < lower <= image[1] + 1e-6
    assert all(1 <= side <= most for side, most in zip(size, box, strict=True))
    if image[0] >= box[0] and image[1] >= box[1]:
        assert size == box
    # In the middle.
    assert left == pytest.approx(image[0] - right, abs=1e-6)
    assert upper == pytest.approx(image[1] - lower, abs=1e-6)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "CMYK", "YCbCr"]
)
def test_every_mode_becomes_every_format(mode: str, format: str) -> None:
    image = Image.new(mode, (300, 200))
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "WEBP" if mode == "PA" else "PNG"
    found = made_of(encoded(image.convert("RGBA") if mode == "PA" else image, kind), format=format)
    assert found.format == format.upper()
    assert found.size == (100, 67)


def test_nothing_is_enlarged() -> None:
    content = encoded(Image.new("RGB", (40, 20), RED))
    assert made_of(content).size == (40, 20)
    assert made_of(content, fit="cover").size == (20, 20)


def test_turned_as_the_camera_was_held_and_the_place_is_nobodys_business() -> None:
    image = Image.new("RGB", (200, 100), RED)
    image.paste((0, 0, 255), (100, 0, 200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "camera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    content = encoded(image, "JPEG", exif=exif, comment=b"secret", quality=95)
    for format in ("jpeg", "png", "webp"):
        found = made_of(content, format=format)
        assert found.size == (50, 100)
        assert close(found.convert("RGB").getpixel((25, 10)), RED)
        assert dict(found.getexif()) == {}
        assert not {"exif", "comment", "xmp", "icc_profile"} & set(found.info)


def test_damaged_exif_data_turn_nothing() -> None:
    content = encoded(Image.new("RGB", (200, 100)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert made_of(content).size == (100, 50)


def test_what_is_transparent_is_white_in_a_jpeg_and_kept_elsewhere() -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 50, 100))
    jpeg = made_of(encoded(image), format="jpeg")
    assert close(jpeg.getpixel((90, 50)), (255, 255, 255))
    assert close(jpeg.getpixel((10, 50)), (0, 0, 255))
    png = made_of(encoded(image), format="png")
    assert png.getpixel((90, 50))[3] == 0  # type: ignore[index]
    palette = encoded(image.convert("P"), transparency=0)
    assert made_of(palette, format="webp").size == (100, 100)


def test_of_several_frames_the_first() -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in (RED, (0, 255, 0))]
    for kind in ("GIF", "WEBP"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert close(made_of(content).convert("RGB").getpixel((25, 25)), RED)


def profile(space: str = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]


# sRGB whose red is green, and whose green is red.
SWAPPED = profile().replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_colours_of_a_profile_become_srgb(mode: str, format: str) -> None:
    content = encoded(Image.new(mode, (50, 50), RED), icc_profile=SWAPPED)
    found = made_of(content, format=format)
    assert close(found.convert("RGB").getpixel((25, 25)), (0, 255, 0))
    assert "icc_profile" not in found.info


@pytest.mark.parametrize("unfit", [profile(), profile("LAB"), b"no profile"])
def test_a_profile_that_changes_nothing_or_does_not_fit(unfit: bytes) -> None:
    content = encoded(Image.new("RGB", (50, 50), (200, 30, 30)), icc_profile=unfit)
    assert close(made_of(content, format="png").getpixel((25, 25)), (200, 30, 30))


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    image = Image.new("I;16", (50, 50), 0x8000)
    assert close(made_of(encoded(image), format="png").convert("RGB").getpixel((9, 9)), (128,) * 3)


def test_a_large_photograph_keeps_its_colours_through_the_fast_decoder() -> None:
    image = Image.new("RGB", (2000, 1000), RED)
    image.paste((0, 0, 255), (1000, 0, 2000, 1000))
    found = made_of(encoded(image, "JPEG", quality=95))
    assert found.size == (100, 50)
    assert close(found.getpixel((10, 25)), RED, 12)
    assert close(found.getpixel((90, 25)), (0, 0, 255), 12)


JPEG = encoded(Image.effect_noise((300, 300), 60).convert("RGB"), "JPEG")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no image of a kind"),
        (b"<html></html>", "no image of a kind"),
        (b"GIF89a", "no image of a kind"),
        (JPEG[: len(JPEG) // 2], "cannot be decoded"),
        (JPEG[:200], "cannot be decoded"),
        (encoded(Image.new("RGB", (9, 9)), "TIFF"), "no image of a kind"),
        (encoded(Image.new("RGB", (9, 9)), "BMP"), "no image of a kind"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image of a kind"),
        (encoded(Image.new("1", (5000, 5000))), "5,000 x 5,000 pixels are more than 10,000,000"),
    ],
)
def test_what_is_no_image_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(NoImage, match=says):
        make_renditions(content, [rendition()], max_pixels=MANY)


def test_as_many_pixels_as_are_allowed_and_not_one_more() -> None:
    content = encoded(Image.new("RGB", (100, 50)))
    assert make_renditions(content, [rendition()], max_pixels=5_000)
    with pytest.raises(NoImage, match="more than 4,999"):
        make_renditions(content, [rendition()], max_pixels=4_999)


@given(st.binary(max_size=60), st.integers(0, 400))
def test_whatever_bytes_come_it_is_an_image_or_refused(noise: bytes, at: int) -> None:
    damaged = JPEG[:at] + noise + JPEG[at + len(noise) :]
    try:
        (made,) = make_renditions(damaged, [rendition()], max_pixels=MANY)
    except NoImage:
        return
    assert made.width <= 100
    assert made.height <= 100


def test_a_recipe_names_the_settings() -> None:
    assert recipe_of([rendition()]) == recipe_of([rendition()])
    assert recipe_of([rendition()]) != recipe_of([rendition(quality=10)])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_same_source_gives_the_same_bytes(kind: str) -> None:
    content = encoded(Image.effect_noise((300, 200), 60).convert("RGB"), kind)
    first, second = (
        make_renditions(content, [rendition()], max_pixels=MANY)[0].content for _ in range(2)
    )
    assert first == second
