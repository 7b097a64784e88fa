"""Where does the model of example 01 look? Draw it, and read the same from the numbers.

Run 01_reverse.py first, in the same folder.
"""

import seqloom as sl

translator = sl.load("runs/reverse")
text = "s e q l o m"
record = translator.attention(text)

record.plot("attention.png")
record.save("attention.json")

weights = record.weights()  # last layer, mean over heads: [target pieces, source pieces]
for piece, row in zip(record.target, weights, strict=True):
    print(f"{piece:>4} looks at {record.source[row.argmax()]:>4} ({row.max():.0%})")
print("drawn: attention.png")
