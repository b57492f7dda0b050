#!/bin/sh
# Makes Echo's voice: apps/cli/assets/echo/*.wav, mono mu-law at 12 kHz, below 500 kB in all. Needs espeak-ng and sox,
# which only this script uses; its output is committed.
# espeak-ng's output carries no licence of its own, so the clips are under this repository's.
set -eu
cd "$(dirname "$0")/../apps/cli/assets/echo"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Speaks $2 into $1.wav at $3 words a minute (numbers quickly: said alone they are drawn out), without the silence around it.
say() {
  espeak-ng -v en-us+f4 -s "${3:-160}" -p 42 -a 120 -w "$work/raw.wav" -- "$2"
  sox "$work/raw.wav" -r 12000 -c 1 -e u-law -b 8 "$1.wav" \
    silence 1 0.01 0.6% reverse silence 1 0.01 0.6% reverse norm -6 highpass 80 pad 0 0.03
}

rm -f ./*.wav
say greeting "Hello! This is Echo, and your call works. I repeat what I hear, so that you hear how others hear you."
say your-turn "Say something after the tone."
say again "Say something again, or hang up."
say not-heard "I heard nothing. Is your microphone on?"
say round-trip "The round trip took"
say millisecond "millisecond" 190
say milliseconds "milliseconds" 190
say lost "I lost" 190
say percent "percent of your sound."
say nothing-lost "Nothing of your sound was lost."
say less-than-one "less than one" 190
say thousand "thousand" 190
say hundred "hundred" 190
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 30 40 50 60 70 80 90; do say "$n" "$n" 215; done

# The tone: a short, soft A.
sox -n -r 12000 -c 1 -e u-law -b 8 tone.wav synth 0.18 sine 880 fade 0.02 0.18 0.05 vol 0.25

du -cb ./*.wav | tail -1
