#!/bin/sh
# Builds the core with the address and undefined-behaviour sanitizers, for one level of processors, and runs the tests of the core over it:
# reads and writes outside of arrays, use after free, overflows and bad shifts end them. Usage: sanitize.sh VENV [arguments of pytest]
set -eu
packages=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
python=build/sanitized/bin/python
shift
mkdir -p build
# An environment of its own, which sees what is installed in the other, but not the core there.
"$packages/../../../bin/python" -m venv --without-pip build/sanitized
echo "$packages" >"$($python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/others.pth"
export PATH="$packages/../../../bin:$PATH"
CXXFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -D_GLIBCXX_ASSERTIONS" \
    $python -m pip install -q --disable-pip-version-check --no-compile --no-deps --no-build-isolation \
    --config-settings=build-dir=build/sanitize --config-settings=cmake.build-type=Debug --config-settings=cmake.define.LEVELS=base -e .
# The sanitizer has to be there before Python is, and what throws before the sanitizer. Python keeps memory of its own: not here.
LD_PRELOAD="$(${CXX:-c++} -print-file-name=libasan.so) $(${CXX:-c++} -print-file-name=libstdc++.so)"
export LD_PRELOAD PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
exec $python -m pytest "$@"
