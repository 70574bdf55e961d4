"""What speech models say when there is nothing to hear. Pure.

They were trained on subtitles, and fill noise with what subtitles end with, or repeat themselves.
"""

import re

_ENDINGS = (
    "字幕",
    "点赞",
    "订阅",
    "打赏",
    "转发",
    "明镜",
    "谢谢观看",
    "谢谢大家收看",
    "感谢观看",
    "谢谢收看",
    "下期再见",
    "我们下期",
    "Amara",
    "MING PAO",
)
_MARKS = re.compile(r"[\W_]+")
_LOOP = re.compile(r"(.{1,12}?)\1{3,}")
_MOSTLY = 0.6


def without_inventions(text: str) -> str:
    """The text; empty where it is one of the known inventions or mostly a loop."""
    plain = _MARKS.sub("", text)
    if not plain:
        return ""
    # A person who says 字幕 says other things too; the invented endings stand alone.
    if len(plain) <= 30 and any(ending in text for ending in _ENDINGS):
        return ""
    looped = sum(len(found.group(0)) for found in _LOOP.finditer(plain))
    return "" if looped > _MOSTLY * len(plain) else text.strip()
