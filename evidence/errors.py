"""Why a file is not taken in or cannot be read. Facts as fields, the sentence in plain Chinese."""

from dataclasses import dataclass


class UploadRefused(Exception):  # noqa: N818  a refusal is an answer, not a fault
    """The file is not taken in. The sentence is for the person who sent it."""


@dataclass(eq=False)
class TooLarge(UploadRefused):
    limit: int

    def __str__(self) -> str:
        return f"文件超过{self.limit / 1024 / 1024:g} MB，请压缩后再上传。"


@dataclass(eq=False)
class Empty(UploadRefused):
    def __str__(self) -> str:
        return "没有收到文件内容，请重新选择文件。"


@dataclass(eq=False)
class NotAPicture(UploadRefused):
    """`found` names the type where it was told, such as GIF."""

    found: str | None

    def __str__(self) -> str:
        what = f"不支持{self.found}文件" if self.found else "无法识别这个文件"
        return f"{what}，请上传 JPEG、PNG、WebP 或 HEIC 格式的照片。"


@dataclass(eq=False)
class NotARecording(UploadRefused):
    found: str | None

    def __str__(self) -> str:
        what = f"不支持{self.found}文件" if self.found else "无法识别这个文件"
        return f"{what}，请上传 M4A、AAC、MP3、WAV、OGG、WebM 或 AMR 格式的录音。"


@dataclass(eq=False)
class TooManyPixels(UploadRefused):
    limit: int

    def __str__(self) -> str:
        return f"照片尺寸过大（超过{self.limit // 10_000}万像素），请缩小后再上传。"


@dataclass(eq=False)
class RecordingTooLong(UploadRefused):
    """Both in seconds."""

    limit: float
    found: float

    def __str__(self) -> str:
        return f"录音长{self.found:.0f}秒，最长可上传{self.limit:.0f}秒，请重新录制。"


@dataclass(eq=False)
class RecordingDamaged(UploadRefused):
    def __str__(self) -> str:
        return "录音没有传完整或已损坏，请重新录制后上传。"


@dataclass(eq=False)
class BlobMissing(Exception):  # noqa: N818  names the finding
    sha256: str

    def __str__(self) -> str:
        return "没有找到这个文件。"


@dataclass(eq=False)
class BlobDamaged(Exception):  # noqa: N818  names the finding
    """The sealed bytes are not those that were written, or the key is another's."""

    sha256: str

    def __str__(self) -> str:
        return "文件已损坏，无法打开。"


@dataclass(eq=False)
class StoreUnavailable(Exception):  # noqa: N818  as above
    """Where the files lie cannot be reached now. Nothing was acknowledged."""

    why: str

    def __str__(self) -> str:
        return "文件暂时不能存取，请稍后重试。"
