"""The bench: trains a config inside its budget and scores what was packed.

Importing it settles the arithmetic: on x86-64 every machine computes with the instructions of AVX2, whatever it has.
Machines with AVX-512 part from each other in the tenth step of training; with AVX2 they give the same bits.
"""

import os

if os.uname().machine == "x86_64":
    # read once, when torch first computes: for its own kernels, its matrix products and its convolutions
    os.environ |= {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
