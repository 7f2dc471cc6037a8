#!/usr/bin/env bash
# Makes a Rust toolchain with a wasm32 standard library available and prints its name for RUSTUP_TOOLCHAIN on
# standard output (nothing: the toolchain in use has it). What is built with it is not decided here.
#
# rustup's own target where it is installed or may be downloaded; otherwise (RUSTUP_AUTO_INSTALL=0) Debian's rustc-web
# packages are unpacked into a private prefix and the standard library is built once, in about a minute: for size, and so that a
# panic is a trap without a message. The packages themselves are not installed: no clash with rustup, no package database lock.
#   PREFIX  where that toolchain goes (default ~/.cache/rust-wasm-trap)
set -euo pipefail
PREFIX=${PREFIX:-$HOME/.cache/rust-wasm-trap}
TARGET=wasm32-unknown-unknown
HOST=x86_64-unknown-linux-gnu
WORK=$PREFIX.work
MINIMUM=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml")
LIBRARIES=(libedit2 libffi8 libxml2 libz3-4)

say() { printf 'setup-rust-wasm: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Whether version $1 is at least MINIMUM, what the crate needs.
new_enough() { [ "$(printf '%s\n%s\n' "$MINIMUM" "$1" | sort -V | sed -n 1p)" = "$MINIMUM" ]; }

apt_download() { apt-get -qq -o APT::Sandbox::User=root download "$@" >&2; }

# Package lists are absent in slim images, and a list from long ago names a compiler too old or files that are gone.
apt_update() {
  [ "$(id -u)" = 0 ] || die "package lists are missing or old: run 'sudo apt-get update' once, then make again"
  say "apt-get update"
  apt-get -qq update >&2
}

download() {
  local std llvm
  std=$(apt-cache show --no-all-versions libstd-rust-web-dev | sed -n 's/^Depends:.*\(libstd-rust-web-[0-9]\+\.[0-9]\+\).*/\1/p')
  llvm=$(apt-cache show --no-all-versions "$std" | grep -oE 'libllvm[0-9]+' | sed -n 1p)
  [ -n "$std" ] && [ -n "$llvm" ] && new_enough "${std##*-}" || return 1
  rm -rf "$WORK/debs"
  mkdir -p "$WORK/debs"
  (cd "$WORK/debs" && apt_download rustc-web libstd-rust-web-dev "$std" rust-web-src "$llvm" "lld-${llvm#libllvm}")
}

missing_libraries() { LD_LIBRARY_PATH=$PREFIX/lib ldd "$PREFIX/libexec/rustc" | sed -n 's/^\s*\(\S*\) => not found/\1/p'; }

unpack() {
  local deb tool missing usr=$WORK/tree/usr
  rm -rf "$WORK" "$PREFIX"
  mkdir -p "$WORK/tree"
  say "downloading Debian's rustc-web packages"
  apt-cache show libstd-rust-web-dev >/dev/null 2>&1 || apt_update
  download || { apt_update; download; } || die "no rustc-web of version $MINIMUM or newer could be downloaded"
  for deb in "$WORK"/debs/*.deb; do
    case $deb in
      # 340 MB of it is not the standard library: take library/ alone.
      */rust-web-src_*) dpkg --fsys-tarfile "$deb" | tar -x -C "$WORK/tree" --wildcards './usr/src/*/library/*' ;;
      *) dpkg -x "$deb" "$WORK/tree" ;;
    esac
  done
  mkdir -p "$PREFIX/bin" "$PREFIX/libexec" "$PREFIX/lib/rustlib/$HOST/bin" "$PREFIX/lib/rustlib/src/rust"
  mv "$usr"/lib/x86_64-linux-gnu/lib* "$PREFIX/lib/"
  mv "$usr/lib/rustlib/$HOST/lib" "$PREFIX/lib/rustlib/$HOST/lib"
  mv "$usr"/src/rustc-*/library "$PREFIX/lib/rustlib/src/rust/library"
  mv "$usr"/lib/llvm-*/bin/lld "$PREFIX/lib/rustlib/$HOST/bin/rust-lld"
  mv "$usr"/bin/rustc "$usr"/bin/rustdoc "$PREFIX/libexec/"
  ln -sf "$(rustup which cargo 2>/dev/null || command -v cargo)" "$PREFIX/bin/cargo"
  # Debian's rustc has no RUNPATH: a wrapper points it at the libraries beside it.
  for tool in rustc rustdoc; do
    # shellcheck disable=SC2016  # expanded when the wrapper runs
    printf '#!/bin/sh\nLD_LIBRARY_PATH="%s/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "%s/libexec/%s" --sysroot "%s" "$@"\n' \
      "$PREFIX" "$PREFIX" "$tool" "$PREFIX" >"$PREFIX/bin/$tool"
    chmod +x "$PREFIX/bin/$tool"
  done
  missing=$(missing_libraries)
  if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || die "missing shared libraries: ${missing//$'\n'/ }. Run: sudo apt-get install ${LIBRARIES[*]}"
    say "apt-get install ${LIBRARIES[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${LIBRARIES[@]}" >&2
    missing=$(missing_libraries)
    [ -z "$missing" ] || die "still missing shared libraries: ${missing//$'\n'/ }"
  fi
}

build_std() {
  local build=$WORK/std out=$PREFIX/lib/rustlib/$TARGET/lib library=$PREFIX/lib/rustlib/src/rust/library
  say "building the $TARGET standard library"
  mkdir -p "$build/src"
  printf 'cargo-features=["panic-immediate-abort"]\n[package]\nname="stub"\nversion="0.0.0"\nedition="2021"\n[profile.release]\ncodegen-units=1\ndebug=false\nopt-level="s"\npanic="immediate-abort"\n[workspace]\n' >"$build/Cargo.toml"
  printf '#![no_std]\n' >"$build/src/lib.rs"
  # embed-bitcode: without it a crate built with lto = "fat" cannot use this standard library.
  (
    cd "$build"
    RUSTC_BOOTSTRAP=1 RUSTC=$PREFIX/bin/rustc CARGO_TARGET_DIR=$build/target \
      RUSTFLAGS="-Cembed-bitcode=yes -Zlocation-detail=none --remap-path-prefix=$library=/rust/library" \
      "$PREFIX/bin/cargo" build --quiet --release -Zbuild-std=std,panic_abort,proc_macro \
      --target "$TARGET" --offline --config 'source.crates-io.replace-with="v"' \
      --config "source.v.directory=\"$library/vendor\"" >&2
  )
  rm -rf "$out" "$out.new"
  mkdir -p "$out.new"
  cp "$build/target/$TARGET/release/deps"/lib*.rlib "$out.new/"
  rm -f "$out.new"/libstub-*
  mv "$out.new" "$out"
}

if command -v rustup >/dev/null; then
  if rustup target list --installed 2>/dev/null | grep -qx "$TARGET"; then exit 0; fi
  if [ "${RUSTUP_AUTO_INSTALL:-1}" != 0 ]; then
    say "rustup target add $TARGET"
    rustup target add "$TARGET" >&2
    exit 0
  fi
elif [ -d "$(rustc --print sysroot)/lib/rustlib/$TARGET" ]; then
  exit 0
fi
compgen -G "$PREFIX/lib/rustlib/$TARGET/lib/libstd-*.rlib" >/dev/null && { echo "$PREFIX"; exit 0; }
if ! command -v apt-get >/dev/null || [ "$(uname -m)" != x86_64 ]; then
  die "no $TARGET standard library, and RUSTUP_AUTO_INSTALL=0 forbids rustup to fetch it: run 'rustup target add $TARGET'"
fi
if [ ! -x "$PREFIX/bin/rustdoc" ] || [ -n "$(missing_libraries)" ] ||
  ! new_enough "$("$PREFIX/bin/rustc" --version | cut -d' ' -f2)"; then unpack; fi
build_std
rm -rf "$WORK"
"$PREFIX/bin/rustc" --version >&2
echo "$PREFIX"
