"""Train word vectors on a made-up text, and ask what is like what. Some ten seconds.

Run it where files may be written: it leaves words.txt and runs/words.
"""

import random
from pathlib import Path

import seqloom as sl

SCENES = {
    "the {} swims in the {}": (["whale", "shark", "salmon"], ["sea", "ocean", "bay"]),
    "the {} drinks from the {}": (["cow", "horse", "goat"], ["river", "pond", "well"]),
    "a {} sat on a {} of wood": (["king", "queen", "judge"], ["throne", "chair", "bench"]),
}

draw = random.Random(1)
lines = []
for _ in range(6000):
    scene = draw.choice(list(SCENES))
    lines.append(scene.format(*map(draw.choice, SCENES[scene])))
Path("words.txt").write_text("\n".join(lines), encoding="utf-8")

recipe = sl.VectorsRecipe(width=16, window=3, subsample=0.01, workers=1)
vectors = sl.train_vectors(["words.txt"], recipe, device="cpu")
vectors.save("runs/words")

for word in ("whale", "cow", "queen", "pond"):
    near = ", ".join(other for other, _ in vectors.neighbours(word, 2))
    print(f"{word:<6} is like {near}")
