#!/bin/sh
# Takes out of a folder of installed packages what no program of the image reads: tests, stubs, headers, symbols, pip. Usage: trim.sh FOLDER
set -eu
cd "$1"
rm -rf pip pip-*.dist-info setuptools setuptools-*.dist-info _distutils_hack distutils-precedence.pth pkg_resources
find . -depth -type d \( -name tests -o -name include \) -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.a' -o -name '*.c' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' \) -delete
# Of plotly the page takes its browser bundle alone.
if [ -d plotly ]; then
    find plotly -type f -not -path plotly/__init__.py -not -name plotly.min.js -delete
    find plotly -type d -empty -delete
    rm -rf ../../../share/jupyter
fi
# Of fontTools, Matplotlib takes the names of glyphs unless it writes PDF.
if [ -d fontTools ]; then find fontTools -mindepth 1 -maxdepth 1 -type d -not -name misc -not -name __pycache__ -exec rm -rf {} +; fi
# What nothing here imports: parts of SciPy; of Pillow, other formats than PNG and text, which Matplotlib draws by itself; fonts of PDF.
rm -rf scipy/cluster scipy/datasets scipy/differentiate scipy/fftpack scipy/io scipy/misc scipy/odr scipy/signal
rm -rf PIL/_avif.* PIL/_webp.* PIL/_imagingft.* PIL/_imagingcms.*
for library in avif webp sharpyuv freetype harfbuzz png brotli lcms; do rm -rf "pillow.libs/lib$library"*; done
rm -rf numpy/distutils matplotlib/mpl-data/sample_data
(cd matplotlib/mpl-data/fonts && rm -rf afm pdfcorefonts ttf/DejaVuSerif*)
# Libraries that NumPy and SciPy both bring, with the same name and content.
for file in numpy.libs/*; do
    if cmp -s "$file" "scipy.libs/${file#*/}"; then ln -sf "../$file" "scipy.libs/${file#*/}"; fi
done
# Not those in *.libs: patched by the wheel builders, some no longer load after stripping.
find . -type f -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
