"""Why a picture cannot be used, and the sentence for whoever sent it. Stable codes."""

from enum import StrEnum
from typing import Self

import msgspec


class Why(StrEnum):
    """Stable codes of what makes a file unreadable."""

    NOT_A_PICTURE = "not_a_picture"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    SEVERAL_PICTURES = "several_pictures"
    CUT_SHORT = "cut_short"
    DAMAGED = "damaged"
    SOMETHING_ELSE_INSIDE = "something_else_inside"
    COSTS_TOO_MUCH = "costs_too_much"


SENTENCES = {
    Why.NOT_A_PICTURE: "这不是 JPEG、PNG、WebP 或 HEIC 格式的照片，无法使用。",
    Why.EMPTY: "照片文件是空的，请重新上传。",
    Why.TOO_LARGE: "照片文件超过20 MB，请压缩后再上传。",
    Why.TOO_MANY_PIXELS: "照片尺寸过大（超过5000万像素），请缩小后再上传。",
    Why.TOO_SMALL: "照片尺寸太小，看不清现场，请重新拍摄。",
    Why.SEVERAL_PICTURES: "这是动图或多张图片合成的文件，请上传单张照片。",
    Why.CUT_SHORT: "照片没有传完整，请重新上传。",
    Why.DAMAGED: "照片文件已损坏，无法打开，请重新拍摄或另存后上传。",
    Why.SOMETHING_ELSE_INSIDE: "照片文件里夹带了其他内容，请上传手机直接拍摄的照片。",
    Why.COSTS_TOO_MUCH: "照片无法在规定的时间和内存内打开，请重新拍摄或缩小后上传。",
}


class Unreadable(msgspec.Struct, frozen=True, tag="unreadable"):
    """The file cannot be used, now or later. The sentence is for the person who sent it."""

    code: Why
    sentence: str

    @classmethod
    def because(cls, code: Why) -> Self:
        """With the sentence that belongs to the code."""
        return cls(code, SENTENCES[code])
