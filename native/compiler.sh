#!/bin/sh
# Makes sure of a compiler for C++20 and of Python's headers: the system's, else Debian's where they can be installed, else Zig's compiler from
# PyPI, of which c++, ar and ranlib are put into the virtual environment. Usage: compiler.sh VENV
set -eu
bin=$(cd "$1/bin" && pwd)
here=$(dirname "$0")
PATH=$bin:$PATH

compiles() { ${CXX:-c++} -std=c++20 -x c++ -c "$here/common/lanes.hpp" -o "$bin/../lanes.o"; }
has_headers() { test -f "$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h"; }
may_install() { test "$(id -u)" = 0 && command -v apt-get >/dev/null; }
install() { apt-get update -q && apt-get install -qy --no-install-recommends "$@"; }

if ! has_headers && may_install; then install python3-dev; fi
has_headers || { echo "the headers of Python are missing: sudo apt-get install python3-dev, or set PYTHON= to one that has them" >&2; exit 1; }
if ! compiles 2>/dev/null && may_install; then install g++; fi
compiles 2>/dev/null && exit
echo "no C++ compiler of C++20 here (GCC 12 or Clang 15): taking Zig's from PyPI"
pip install -q --no-compile ziglang
for tool in c++ ar ranlib; do
    cat >"$bin/$tool" <<TOOL
#!/bin/sh
export ZIG_GLOBAL_CACHE_DIR="$bin/../zig" ZIG_LOCAL_CACHE_DIR="$bin/../zig"
exec "$bin/python" -m ziglang $tool "\$@"
TOOL
    chmod +x "$bin/$tool"
done
compiles || { echo "no C++ compiler: install g++ 12 or clang++ 15, or set CXX=" >&2; exit 1; }
