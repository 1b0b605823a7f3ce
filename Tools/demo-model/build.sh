#!/bin/sh
# Makes the bundled demo model: text, tokenizer, first and second training, conversion, check, evaluation.
#
#     Tools/demo-model/build.sh            repeats the recorded runs (their schedules); resumes where it stopped
#     STEPS=3000 Tools/demo-model/build.sh makes a first training of another length
#
# PYTHON names the interpreter (3.11 or later), OUT the folder for text and checkpoints, HYBRIMOE the program
# that answers the evaluation's questions (default: the release build).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/out}
root=$here/../..
model=$root/Sources/Product/CBundledModel/model/hybrimoe-demo.gguf
mkdir -p "$out" "$(dirname "$model")"
cd "$here"

if [ ! -x "$out/venv/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet --requirement requirements.txt
fi
python=$out/venv/bin/python

if [ ! -f "$out/drill.npz" ]; then
    "$python" generate_text.py --out "$out" --seed 1 --count 110000
    "$python" tokenizer.py --out "$out"
fi
if [ ! -f "$out/last-drill.npz" ]; then
    "$python" generate_text.py --second --out "$out" --seed 2 --count 30000
    "$python" tokenizer.py --out "$out" --encode second exercise second-valid third third-drill last-drill
fi
if [ ! -f "$out/first.gguf" ]; then
    if [ -n "${STEPS:-}" ]; then
        "$python" train.py --out "$out" --seed 1 --steps "$STEPS" --decay-steps $((STEPS * 3 / 10))
    else
        "$python" train.py --out "$out" --seed 1 --schedule schedule.json
    fi
    "$python" convert.py --out "$out" --to "$out/first.gguf"
fi
"$python" train.py --out "$out" --name second --start "$out/first.gguf" --seed 2 --phases second-phases.json \
    --schedule second-schedule.json --valid second-valid
"$python" convert.py --out "$out" --name second --to "$model"
"$python" check.py --out "$out" --model "$model" --report "$out/check.json"
"$python" evaluate.py --out "$out" --program "${HYBRIMOE:-$root/.build/release/hybrimoe}" --model "$model" \
    --report "$out/evaluation.json" --card MODEL_CARD.md
