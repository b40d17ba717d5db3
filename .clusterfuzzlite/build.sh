#!/bin/bash -eu
# What ClusterFuzzLite calls in its image, with the compiler that is there: the targets want no newer one than the
# core does.
exec core/fuzz/oss-fuzz.sh
